-- For each asked row the newest bar of its ticker in the sessions before its day, its close in the shares of `basis`, and
-- the last of those sessions without a trade. A close that its source has restated is known to a won only.
select q.row_number - 1, e.trade_date, e.open, e.high, e.low, e.close, e.volume, e.close * f.factor,
       case when e.source = %(as_traded)s then 0 else f.factor end, (
           select max(h.trade_date) from tb_bar as h
           where insight_block(h.meta_id) = insight_block(q.meta_id) and h.meta_id = q.meta_id and h.trade_date >= q.since and h.trade_date < q.day and h.volume = 0)
from unnest(%(meta_ids)s::integer[], %(days)s::date[], %(since)s::date[], %(bases)s::date[])
    with ordinality as q (meta_id, day, since, basis, row_number)
cross join lateral (
    select b.* from tb_bar as b
    where insight_block(b.meta_id) = insight_block(q.meta_id) and b.meta_id = q.meta_id and b.trade_date < q.day and b.trade_date >= q.since
    order by b.trade_date desc limit 1
) as e
cross join lateral (
    select case when e.basis_date < q.basis then (
        select 1 / insight_product(a.value) from tb_action as a
        where a.meta_id = q.meta_id and a.kind = 'split' and a.ex_date > e.basis_date and a.ex_date <= q.basis)
    else (
        select insight_product(a.value) from tb_action as a
        where a.meta_id = q.meta_id and a.kind = 'split' and a.ex_date > q.basis and a.ex_date <= e.basis_date)
    end as factor
) as f
