-- A second read, twelve hours or more after the first, that says the same makes a bar final; not one that was traded and
-- has no open: half a bar, as US listings give it, only stands in for a whole one.
update tb_bar as b
set final = true
from stage_bar as s
where b.meta_id = s.meta_id and b.trade_date = s.trade_date
  and not b.final and (b.open is not null or coalesce(b.volume, 0) = 0)
  and b.observed_at <= %(as_of)s::timestamptz - interval '12 hours'
  and not exists (select from diff_bar as d where d.meta_id = b.meta_id and d.trade_date = b.trade_date)
