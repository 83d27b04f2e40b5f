update tb_bar as b
set final = true
from unnest(%(meta_ids)s::integer[], %(days)s::date[]) as s (meta_id, trade_date)
where b.meta_id = s.meta_id and b.trade_date = s.trade_date
