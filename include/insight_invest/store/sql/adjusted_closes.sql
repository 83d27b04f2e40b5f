select array_agg(trade_date), array_agg(adj_close)
from tb_price
where meta_id = %(meta_id)s and trade_date between %(start)s and %(end)s
