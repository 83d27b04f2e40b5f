-- The bars of the session before, and whether the next one is stored already.
select b.meta_id, b.open, b.high, b.low, b.close, b.volume, exists (
           select from tb_bar as n where n.meta_id = b.meta_id and n.trade_date = %(until)s)
from tb_bar as b
where b.meta_id = any (%(meta_ids)s) and b.trade_date = %(eve)s
