select m.iso_code as market, a.meta_id, a.ex_date, a.kind, a.value, a.basis_date, a.currency, a.source, a.run_id
from tb_action as a
join tb_meta as m on m.meta_id = a.meta_id
where %(market)s::text is null or m.iso_code = %(market)s
