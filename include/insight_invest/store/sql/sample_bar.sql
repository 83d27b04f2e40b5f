-- Bars of one session that its best source gave, in the shares of that session, and in the order in which the daily
-- sample takes them: a ticker has a fixed place on a circle of 2^32, the sample begins at %(place)s.
select b.meta_id, m.ticker, m.market, b.close * later.factor, b.volume / later.factor, count(*) over ()
from tb_bar as b
join tb_meta as m on m.meta_id = b.meta_id
cross join lateral (
    select insight_product(a.value) as factor from tb_action as a
    where a.meta_id = b.meta_id and a.kind = 'split' and a.ex_date > b.trade_date and a.ex_date <= b.basis_date
) as later
where m.iso_code = %(iso_code)s and b.trade_date = %(session)s and b.source = %(source)s
order by mod(('x' || left(md5(m.ticker), 8))::bit(32)::bigint - %(place)s + 4294967296, 4294967296), m.ticker
limit %(size)s
