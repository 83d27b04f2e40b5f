update tb_meta as m
set delisted_on = null
where m.iso_code = %(iso_code)s and m.delisted_on <= %(session)s
  and not exists (select from tb_absence as a where a.meta_id = m.meta_id and a.session_date >= %(session)s)
  and coalesce((
        select s.ticker from tb_symbol as s
        where s.meta_id = m.meta_id and s.valid_from <= %(session)s
          and (s.valid_until is null or s.valid_until >= %(session)s)), m.ticker) = any (%(listed)s)
returning m.ticker, %(session)s::date
