update tb_meta as m
set first_listed = %(session)s
where m.iso_code = %(iso_code)s and (m.first_listed is null or m.first_listed > %(session)s)
  and coalesce((
        select s.ticker from tb_symbol as s
        where s.meta_id = m.meta_id and s.valid_from <= %(session)s
          and (s.valid_until is null or s.valid_until >= %(session)s)), m.ticker) = any (%(listed)s)
