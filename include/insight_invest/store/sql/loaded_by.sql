select r.run_id, (
    select array_agg(t.key) from jsonb_each(r.tickers) as s, jsonb_object_keys(s.value) as t (key)
    where s.key not in ('failed', 'throttled'))
from tb_job_run as r
where r.job = %(job)s and r.shard = %(shard)s and r.session_date = %(session)s and r.as_of <= %(as_of)s
  and r.status = 'succeeded' and r.tickers <> '{}' and not r.options ?| array['tickers', 'start', 'end']
  -- what a source that stands in has given waits for the market's own
  and not exists (
      select from tb_bar as b join tb_meta as m using (meta_id)
      where m.iso_code = %(iso_code)s and b.trade_date = r.session_date and b.source = %(fallback)s)
order by r.run_id desc
limit 1
