-- Bars as stored: in the shares of their basis_date, in currency units. What tb_price multiplies by is lake_adjustments, so
-- that a split rewrites that, and no bar.
select m.iso_code as market, extract(year from b.trade_date)::integer as year, b.meta_id, b.trade_date, b.basis_date,
       b.open, b.high, b.low, b.close, b.volume, b.currency, b.source, b.final, b.run_id
from tb_bar as b
join tb_meta as m on m.meta_id = b.meta_id
where (%(market)s::text is null or m.iso_code = %(market)s)
  and (%(year)s::integer is null
       or b.trade_date between make_date(%(year)s, 1, 1) and make_date(%(year)s, 12, 31))
