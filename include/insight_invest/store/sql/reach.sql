-- Of each ticker its newest session, its last split and its last dividend; -infinity where there is none. And which
-- are not in tb_meta: each that is has a row of tb_adjustment.
select array_agg(coalesce(newest.trade_date, '-infinity') order by q.meta_id),
       array_agg(coalesce(a.split_dates[cardinality(a.split_dates)], '-infinity') order by q.meta_id),
       array_agg(coalesce(a.dividend_dates[cardinality(a.dividend_dates)], '-infinity') order by q.meta_id),
       coalesce(array_agg(q.meta_id) filter (where a.meta_id is null), '{}')
from unnest(%(meta_ids)s::integer[]) as q (meta_id)
left join lateral (
    select trade_date from tb_bar as b
    where insight_block(b.meta_id) = insight_block(q.meta_id) and b.meta_id = q.meta_id
    order by trade_date desc limit 1
) as newest on true
left join tb_adjustment as a on a.meta_id = q.meta_id
