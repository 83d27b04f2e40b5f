-- The newest run that loaded the session, and whom any of them was answered for by the market's own sources: what a
-- source that stands in has given waits for them.
with loading as (
    select r.run_id, r.tickers from tb_job_run as r
    where r.job = %(job)s and r.shard = %(shard)s and r.session_date = %(session)s and r.as_of <= %(as_of)s
      and r.status = 'succeeded' and r.tickers <> '{}' and not r.options ?| array['tickers', 'start', 'end']
), waiting as (
    select m.ticker from tb_bar as b join tb_meta as m using (meta_id)
    where m.iso_code = %(iso_code)s and b.trade_date = %(session)s and b.source = %(fallback)s
)
select max(run_id), (
    select array_agg(distinct named.ticker)
    from loading as l, jsonb_each(l.tickers) as s, jsonb_object_keys(s.value) as named (ticker)
    where s.key not in ('failed', 'throttled') and named.ticker not in (select ticker from waiting))
from loading
having count(*) > 0
