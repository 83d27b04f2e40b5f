select p.meta_id, m.ticker, p.open, p.high, p.low, p.close, p.volume, p.adj_close, p.currency
from tb_price as p
join tb_meta as m on m.meta_id = p.meta_id
where p.trade_date = %(day)s and m.iso_code = %(iso_code)s
order by p.meta_id
