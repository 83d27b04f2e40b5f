delete from tb_absence as a
using tb_meta as m
where m.meta_id = a.meta_id and m.iso_code = %(iso_code)s and a.session_date = %(session)s
  and coalesce((
        select s.ticker from tb_symbol as s
        where s.meta_id = m.meta_id and s.valid_from <= %(session)s
          and (s.valid_until is null or s.valid_until >= %(session)s)), m.ticker) = any (%(listed)s)
