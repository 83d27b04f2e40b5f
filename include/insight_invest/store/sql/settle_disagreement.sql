update tb_disagreement as d
set settled_at = %(as_of)s
from unnest(%(meta_id)s::integer[], %(trade_date)s::date[], %(field)s::text[], %(source)s::text[],
            %(other_source)s::text[]) as q (meta_id, trade_date, field, source, other_source)
where d.meta_id = q.meta_id and d.trade_date = q.trade_date and d.field = q.field and d.source = q.source
  and d.other_source = q.other_source and d.settled_at is null and d.found_at <= %(as_of)s
