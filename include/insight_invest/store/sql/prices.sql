-- gross_return by the row before, and not by the view, which looks each of them up: a week is enough for the first row's
-- eve, a longer pause is looked up.
select trade_date, open, high, low, close, volume, adj_close,
       case when eve is not null then adj_close / eve - 1 else (
           select p.gross_return from tb_price as p
           where p.meta_id = %(meta_id)s and p.trade_date = line.trade_date) end as gross_return,
       currency
from (
    select *, lag(adj_close) over (order by trade_date) as eve
    from tb_price
    where meta_id = %(meta_id)s
      and trade_date between %(start)s::date - 7 and %(end)s
) as line
where trade_date >= %(start)s
order by trade_date
