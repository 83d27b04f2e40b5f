insert into tb_absence (meta_id, session_date, source, run_id)
select m.meta_id, %(session)s, %(source)s, %(run_id)s
from tb_meta as m
where m.iso_code = %(iso_code)s and m.first_listed < %(session)s
  and (m.delisted_on is null or m.delisted_on > %(session)s)
  and coalesce((
        select s.ticker from tb_symbol as s
        where s.meta_id = m.meta_id and s.valid_from <= %(session)s
          and (s.valid_until is null or s.valid_until >= %(session)s)), m.ticker) <> all (%(listed)s)
on conflict do nothing
