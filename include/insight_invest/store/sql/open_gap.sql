-- The pairs of ticker and session that have no bar, nor a reason: of the tickers whose counts do not add up.
insert into tb_gap (meta_id, trade_date, state, run_id, found_at)
select e.meta_id, s.day, 'open', %(run_id)s, %(as_of)s
from unnest(%(meta_ids)s::integer[], %(first_days)s::date[], %(last_days)s::date[]) as e (meta_id, first_day, last_day)
join unnest(%(sessions)s::date[]) as s (day) on s.day between e.first_day and e.last_day
where not exists (select from tb_bar as b where b.meta_id = e.meta_id and b.trade_date = s.day)
  and not exists (
      select from tb_quarantine as q
      where q.meta_id = e.meta_id and q.trade_date = s.day and q.kind = 'bar' and q.status in ('held', 'rejected'))
order by e.meta_id, s.day
on conflict (meta_id, trade_date) do update set state = 'open', closed_at = null
where tb_gap.state in ('not_expected', 'healed')
