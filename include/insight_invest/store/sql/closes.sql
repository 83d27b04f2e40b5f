-- Stored closes from %(start)s until before %(session)s, in the shares of %(session)s; of no ETF: exchanges' listings of
-- companies, which are held against them, have none.
select m.ticker, b.trade_date, b.close * case
    when b.basis_date < %(session)s then (
        select 1 / insight_product(a.value) from tb_action as a
        where a.meta_id = b.meta_id and a.kind = 'split' and a.ex_date > b.basis_date and a.ex_date <= %(session)s)
    when b.basis_date > %(session)s then (
        select insight_product(a.value) from tb_action as a
        where a.meta_id = b.meta_id and a.kind = 'split' and a.ex_date > %(session)s and a.ex_date <= b.basis_date)
    else 1
end as close
from tb_bar as b
join tb_meta as m on m.meta_id = b.meta_id
where m.iso_code = %(iso_code)s and m.security_type <> 'ETF'
  and b.trade_date >= %(start)s and b.trade_date < %(session)s
order by m.ticker, b.trade_date
