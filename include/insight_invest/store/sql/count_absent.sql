-- Of the tickers that a listing before %(session)s had: how many there are, and how many this one lacks; and how many
-- days it is after the listing before.
select count(*), count(*) filter (where t.ticker <> all (%(listed)s)), coalesce(%(session)s::date - (
    select max(l.session_date) from tb_listing as l
    where l.iso_code = %(iso_code)s and l.session_date < %(session)s), 0)
from (
    select coalesce((
        select s.ticker from tb_symbol as s
        where s.meta_id = m.meta_id and s.valid_from <= %(session)s
          and (s.valid_until is null or s.valid_until >= %(session)s)), m.ticker) as ticker
    from tb_meta as m
    where m.iso_code = %(iso_code)s and m.first_listed < %(session)s
      and (m.delisted_on is null or m.delisted_on > %(session)s)
) as t
