-- The stored bars of one source beside an answer's: of its sessions, and each ticker's last one before them, whoever gave
-- that. A month back is far enough: what is older says nothing of a move.
with asked as (
    select * from unnest(%(meta_id)s::integer[], %(since)s::date[], %(until)s::date[]) as a (meta_id, since, until)
)
select b.meta_id, b.trade_date, b.open, b.high, b.low, b.close, b.volume, b.basis_date, b.currency, b.run_id
from asked as a
join tb_bar as b on insight_block(b.meta_id) = insight_block(a.meta_id) and b.meta_id = a.meta_id
    and b.trade_date between a.since and a.until
where b.source = %(source)s
union all
select b.meta_id, b.trade_date, b.open, b.high, b.low, b.close, b.volume, b.basis_date, b.currency, b.run_id
from asked as a
cross join lateral (
    select * from tb_bar as e
    where insight_block(e.meta_id) = insight_block(a.meta_id) and e.meta_id = a.meta_id
      and e.trade_date < a.since and e.trade_date >= a.since - 31
    order by e.trade_date desc limit 1
) as b
