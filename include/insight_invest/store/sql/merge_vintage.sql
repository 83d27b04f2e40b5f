with quoted as (
    select base_date, realtime_start, nullif(value, 'NaN') as value,
           lag(nullif(value, 'NaN')) over series as before, lag(base_date) over series is not null as has_before
    from stage_vintage
    window series as (partition by base_date order by realtime_start)
), news as (
    select q.base_date, q.realtime_start, q.value
    from quoted as q
    left join lateral (
        select v.value, v.realtime_start from tb_macro_vintage as v
        where v.macro_id = %(macro_id)s and v.base_date = q.base_date and v.realtime_start <= q.realtime_start
          and v.source <> 'v2'
        order by v.realtime_start desc limit 1
    ) as known on true
    where case
        -- the stored vintage of that very day stands
        when known.realtime_start = q.realtime_start then false
        when q.has_before then q.value is distinct from q.before
        else known.realtime_start is null or known.value is distinct from q.value
    end
), added as (
    insert into tb_macro_vintage (macro_id, base_date, realtime_start, value, source, run_id)
    select %(macro_id)s, base_date, realtime_start, value, %(source)s, %(run_id)s from news
    on conflict do nothing
    returning base_date, realtime_start, value
)
select m.fred, a.base_date, a.realtime_start, a.value
from added as a
join tb_macro as m on m.macro_id = %(macro_id)s
order by a.base_date, a.realtime_start
