-- `stored` is what tb_bar says now, in the shares of the session.
select d.meta_id, m.ticker, d.trade_date, d.field, d.source, d.value, d.other_source, d.other_value, d.found_at,
       case d.field when 'volume' then b.volume / later.factor else b.close * later.factor end as stored
from tb_disagreement as d
join tb_meta as m on m.meta_id = d.meta_id
left join tb_bar as b on b.meta_id = d.meta_id and b.trade_date = d.trade_date
cross join lateral (
    select insight_product(a.value) as factor from tb_action as a
    where a.meta_id = b.meta_id and a.kind = 'split' and a.ex_date > b.trade_date and a.ex_date <= b.basis_date
) as later
where d.settled_at is null and (%(iso_code)s::text is null or m.iso_code = %(iso_code)s)
order by d.trade_date desc, m.ticker, d.field
