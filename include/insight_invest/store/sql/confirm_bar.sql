-- Staged rows that say what is stored make it final, where a second read does.
update tb_bar as b
set final = true
from stage_bar as s
where b.meta_id = s.meta_id and b.trade_date = s.trade_date and insight_confirms(b.final, b.open, b.volume, b.observed_at, %(as_of)s)
  and not exists (select from diff_bar as d where d.meta_id = b.meta_id and d.trade_date = b.trade_date)
