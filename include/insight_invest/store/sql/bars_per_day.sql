-- How many bars there are of each day: stored, held back, and of both those that say that somebody traded. Who was
-- rejected is no bar. Without volume there was a trade only where the close moved, as a fund's does.
with given as (
    select b.meta_id, b.trade_date, true as is_stored,
           coalesce(b.volume > 0, true) or coalesce(abs(b.close - eve.close) > %(same)s * eve.close, false) as traded
    from tb_bar as b
    left join lateral (
        select e.close from tb_bar as e
        where insight_block(e.meta_id) = insight_block(b.meta_id) and e.meta_id = b.meta_id and e.trade_date < b.trade_date
        order by e.trade_date desc limit 1
    ) as eve on b.volume = 0
    where b.meta_id = any (%(meta_ids)s) and b.trade_date = any (%(days)s)
    union all
    select q.meta_id, q.trade_date, false, bool_or(coalesce((q.payload ->> 'volume')::double precision <> 0, true))
    from tb_quarantine as q
    where q.meta_id = any (%(meta_ids)s) and q.trade_date = any (%(days)s) and q.kind = 'bar' and q.status = 'held'
      and not exists (select from tb_bar as b where b.meta_id = q.meta_id and b.trade_date = q.trade_date)
    group by 1, 2
)
select trade_date as day, count(*) filter (where is_stored)::integer as stored,
       count(*) filter (where not is_stored)::integer as held, count(*) filter (where traded)::integer as traded
from given
group by 1
