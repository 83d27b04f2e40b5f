-- v2 kept no vintages: when its values became known is not known, so they answer only "what is known now".
-- Of a series that is revised every week each base_date has hundreds of vintages: there the base_dates are looked up one
-- after the other, and the vintage of each. Of any other all vintages are read, backwards in the order of their key.
with recursive series as (
    select macro_id from tb_macro where fred = %(fred)s
), first as (
    select macro_id, base_date from tb_macro_vintage
    where macro_id = (select macro_id from series)
    order by base_date limit 1
), shape as (
    select count(*) > 50 as is_revised_often
    from (select from tb_macro_vintage join first using (macro_id, base_date) limit 51) as vintage
), base as (
    select macro_id, base_date from first where (select is_revised_often from shape)
    union all
    select base.macro_id, later.base_date
    from base
    cross join lateral (
        select v.base_date from tb_macro_vintage as v
        where v.macro_id = base.macro_id and v.base_date > base.base_date
        order by v.base_date limit 1
    ) as later
)
select base.base_date, known.value, known.realtime_start
from base
cross join lateral (
    select v.value, v.realtime_start from tb_macro_vintage as v
    where v.macro_id = base.macro_id and v.base_date = base.base_date
      and (%(as_of)s::date is null or (v.realtime_start <= %(as_of)s and v.source <> 'v2'))
    order by v.realtime_start desc limit 1
) as known
union all
select base_date, value, realtime_start
from (
    select distinct on (v.base_date) v.base_date, v.value, v.realtime_start
    from tb_macro_vintage as v
    where v.macro_id = (select macro_id from series) and not (select is_revised_often from shape)
      and (%(as_of)s::date is null or (v.realtime_start <= %(as_of)s and v.source <> 'v2'))
    order by v.base_date desc, v.realtime_start desc
) as newest
order by base_date
