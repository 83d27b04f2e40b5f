-- A ticker's closes from `since` to `until` in the shares of `basis`, by the splits that are known; the error of one that
-- was restated, in won.
select b.trade_date, b.close * f.factor, case when b.source = %(as_traded)s then 0 else f.factor end
from tb_bar as b
cross join lateral (
    select case when b.basis_date < %(basis)s then (
        select 1 / insight_product(a.value) from tb_action as a
        where a.meta_id = b.meta_id and a.kind = 'split' and a.ex_date > b.basis_date and a.ex_date <= %(basis)s)
    else (
        select insight_product(a.value) from tb_action as a
        where a.meta_id = b.meta_id and a.kind = 'split' and a.ex_date > %(basis)s and a.ex_date <= b.basis_date)
    end as factor
) as f
where insight_block(b.meta_id) = insight_block(%(meta_id)s) and b.meta_id = %(meta_id)s and b.trade_date between %(since)s and %(until)s
order by b.trade_date
