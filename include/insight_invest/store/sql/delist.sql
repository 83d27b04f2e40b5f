-- The absences since a recorded listing last had it: enough of them, and the first is the day it left.
with absent as (
    select m.meta_id, min(a.session_date) as first_day
    from tb_meta as m
    join tb_absence as a using (meta_id)
    where m.iso_code = %(iso_code)s and m.delisted_on is null
      and a.session_date > coalesce((
          select max(l.session_date) from tb_listing as l
          where l.iso_code = m.iso_code and l.session_date >= m.first_listed
            and not exists (
                select from tb_absence as b where b.meta_id = m.meta_id and b.session_date = l.session_date)
      ), '-infinity')
    group by m.meta_id
    having count(*) >= %(sessions)s
)
update tb_meta as m
set delisted_on = absent.first_day
from absent
where m.meta_id = absent.meta_id
returning m.ticker, m.delisted_on
