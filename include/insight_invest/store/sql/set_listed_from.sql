-- The market's first recorded listing says of nobody since when.
update tb_meta as m
set listed_from = l.day
from (
    select t.meta_id, case when t.first_listed > (
        select min(session_date) from tb_listing where iso_code = %(iso_code)s) then t.first_listed end as day
    from tb_meta as t
    where t.iso_code = %(iso_code)s and t.first_listed is not null
) as l
where m.meta_id = l.meta_id and m.listed_from is distinct from l.day
