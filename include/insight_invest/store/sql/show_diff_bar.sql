-- Both in the shares of the stored bar, so that a change is a change of what the market said.
select m.ticker, d.trade_date, d.known, d.open * d.factor, d.high * d.factor, d.low * d.factor, d.close * d.factor,
       round(d.volume / d.factor)::bigint, b.open, b.high, b.low, b.close, b.volume
from diff_bar as d
join tb_meta as m on m.meta_id = d.meta_id
left join tb_bar as b on b.meta_id = d.meta_id and b.trade_date = d.trade_date
order by m.ticker, d.trade_date
