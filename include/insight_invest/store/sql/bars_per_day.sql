select trade_date, count(*)
from (
    select meta_id, trade_date from tb_bar
    where meta_id = any (%(meta_ids)s) and trade_date = any (%(days)s)
    union
    select meta_id, trade_date from tb_quarantine
    where meta_id = any (%(meta_ids)s) and trade_date = any (%(days)s) and kind = 'bar'
) as given
group by 1
