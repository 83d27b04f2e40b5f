select m.meta_id, m.ticker, m.market, newest.trade_date, m.history_loaded
from tb_meta as m
left join lateral (
    select trade_date from tb_bar as b where b.meta_id = m.meta_id order by b.trade_date desc limit 1
) as newest on true
where m.iso_code = %(iso_code)s
  and (cardinality(%(tickers)s::text[]) = 0 or m.ticker = any (%(tickers)s))
order by m.meta_id
