-- The tickers to ask other sources for, those that were asked longest ago first: their gaps before the sessions that
-- each run reads again, and those of which the session's listing was read and has no bar.
select g.meta_id, min(g.trade_date)
from tb_gap as g
left join tb_listing as l on l.iso_code = %(iso_code)s and l.session_date = g.trade_date
where g.meta_id = any (%(meta_ids)s) and g.state = 'open' and g.trade_date <= %(until)s
  and (g.trade_date < %(reread_from)s or l.session_date is not null)
  and not g.asked @> jsonb_build_object(%(source)s::text, jsonb_build_array(%(day)s::text))
group by g.meta_id
order by max((select max(last.value) from jsonb_each(g.asked) as days, jsonb_array_elements_text(days.value) as last))
    nulls first, g.meta_id
limit %(limit)s
