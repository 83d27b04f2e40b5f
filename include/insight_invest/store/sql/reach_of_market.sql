-- As reach, for thousands of tickers.
select array_agg(coalesce(newest.last_session, '-infinity') order by q.meta_id),
       array_agg(coalesce(a.split_dates[cardinality(a.split_dates)], '-infinity') order by q.meta_id),
       array_agg(coalesce(a.dividend_dates[cardinality(a.dividend_dates)], '-infinity') order by q.meta_id),
       coalesce(array_agg(q.meta_id) filter (where a.meta_id is null), '{}')
from unnest(%(meta_ids)s::integer[]) as q (meta_id)
left join insight_watermark as newest on newest.meta_id = q.meta_id
left join tb_adjustment as a on a.meta_id = q.meta_id
