-- One row per ticker: from which session to which a bar is expected, and what there is instead. %(sessions)s are the
-- expected sessions, ascending. A ticker whose whole history was loaded is expected from its first bar, any other
-- from the first session that a whole run looked at (%(since)s): what lies before that was never asked for.
-- "+ 0" makes a condition a filter, which PostgreSQL hashes, instead of thousands of look-ups in the index.
with ticker as (
    select m.meta_id, m.ticker,
           greatest(least(eldest.trade_date, m.listed_from),
                    case when not m.history_loaded then %(since)s::date end) as first_day,
           least(%(until)s::date, m.delisted_on - 1) as last_day
    from tb_meta as m
    left join lateral (
        select b.trade_date from tb_bar as b
        where insight_block(b.meta_id) = insight_block(m.meta_id) and b.meta_id = m.meta_id
        order by b.trade_date limit 1
    ) as eldest on true
    where m.meta_id = any (%(meta_ids)s) and (eldest.trade_date is not null or m.listed_from is not null)
), expected as (
    select *, width_bucket(last_day, %(sessions)s::date[]) - width_bucket(first_day - 1, %(sessions)s::date[]) as sessions
    from ticker
    where first_day <= last_day
), held as (
    select q.meta_id, q.trade_date from tb_quarantine as q
    where q.meta_id = any (%(meta_ids)s) and q.kind = 'bar' and q.status in ('held', 'rejected')
      and q.trade_date + 0 = any (%(sessions)s::date[])
      and not exists (select from tb_bar as b where b.meta_id = q.meta_id and b.trade_date = q.trade_date)
    group by 1, 2
), gap as (
    select g.meta_id, g.trade_date, g.state from tb_gap as g
    where g.meta_id = any (%(meta_ids)s) and g.state in ('open', 'source_gap')
      and g.trade_date + 0 = any (%(sessions)s::date[])
      and not exists (select from tb_bar as b where b.meta_id = g.meta_id and b.trade_date = g.trade_date)
      and not exists (select from held as h where h.meta_id = g.meta_id and h.trade_date = g.trade_date)
), without as (
    select e.meta_id, count(*) filter (where w.state = 'held') as held,
           count(*) filter (where w.state = 'source_gap') as source_gaps,
           count(*) filter (where w.state = 'open') as open_gaps
    from expected as e
    join (select meta_id, trade_date, 'held' as state from held union all select * from gap) as w
        on w.meta_id = e.meta_id and w.trade_date between e.first_day and e.last_day
    group by 1
)
select e.meta_id, e.ticker, e.first_day, e.last_day, e.sessions,
       (select count(*) from tb_bar as b
        where insight_block(b.meta_id) = insight_block(e.meta_id) and b.meta_id = e.meta_id
          and b.trade_date between greatest(e.first_day, (%(sessions)s::date[])[1]) and e.last_day
          and b.trade_date + 0 = any (%(sessions)s::date[]))::integer as bars,
       coalesce(w.held, 0)::integer as held, coalesce(w.source_gaps, 0)::integer as source_gaps,
       coalesce(w.open_gaps, 0)::integer as open_gaps
from expected as e
left join without as w using (meta_id)
order by e.ticker
