-- The delisted shares whose code the listing gives to a share with another ISIN.
select m.ticker, m.delisted_on, l.isin
from unnest(%(tickers)s::text[], %(isins)s::text[]) as l (ticker, isin)
join tb_meta as m on m.iso_code = %(iso_code)s and m.ticker = l.ticker
where m.delisted_on <= %(on)s and m.isin <> '' and l.isin <> '' and m.isin <> l.isin
order by 1
