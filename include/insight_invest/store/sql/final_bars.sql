-- Of meta_ids, those without anything to learn of days: each bar final, a gap that two sources agree on, or a day before
-- the first bar of a history that is loaded.
select wanted.meta_id
from unnest(%(meta_ids)s::integer[]) as wanted (meta_id)
join lateral (
    select trade_date from tb_bar as b
    where insight_block(b.meta_id) = insight_block(wanted.meta_id) and b.meta_id = wanted.meta_id
    order by trade_date limit 1
) as first on true
where not exists (
    select from unnest(%(days)s::date[]) as asked (day)
    where day >= first.trade_date
      and not exists (
          select from tb_bar as b
          where b.meta_id = wanted.meta_id and b.trade_date = day and b.final and b.source = %(source)s)
      and not exists (
          select from tb_gap as g
          where g.meta_id = wanted.meta_id and g.trade_date = day and g.state = 'source_gap')
)
