select trade_date, open, high, low, close, volume, adj_close, gross_return, currency
from tb_price
where meta_id = %(meta_id)s
  and trade_date between %(start)s and %(end)s
order by trade_date
