-- An answer says what was known of a base_date on every day from its first row to the end of the window that was asked
-- for. What the store says of the days before and after stays; a base_date that the answer does not have is not touched.
with quoted as (
    select base_date, realtime_start, nullif(value, 'NaN') as value from stage_vintage
), reach as (
    select base_date, min(realtime_start) as first from quoted group by base_date
), stored as (
    -- offset 0: look each base_date up. A series that is revised every week has millions of rows; an answer needs few.
    select v.*, r.first
    from reach as r
    cross join lateral (
        select base_date, realtime_start, value, source, run_id from tb_macro_vintage
        where macro_id = %(macro_id)s and base_date = r.base_date and realtime_start >= r.first and source <> 'v2'
        offset 0
    ) as v
), before as (
    select v.*
    from reach as r
    cross join lateral (
        select base_date, realtime_start, value from tb_macro_vintage
        where macro_id = %(macro_id)s and base_date = r.base_date and realtime_start < r.first and source <> 'v2'
        order by realtime_start desc limit 1
    ) as v
), after as (
    -- What is known of the day after the window, where that was asked for earlier: it needs a row of its own there.
    select distinct on (base_date) base_date, greatest(realtime_start, %(until)s::date + 1) as realtime_start, value
    from (
        select base_date, realtime_start, value from stored
        union all
        select base_date, realtime_start, value from before
    ) as line
    where (
        select greatest(%(known_until)s::date, max(realtime_start)) from tb_macro_vintage
        where macro_id = %(macro_id)s and source <> 'v2'
    ) > %(until)s
    order by base_date, line.realtime_start > %(until)s::date + 1, abs(line.realtime_start - (%(until)s::date + 1))
), said as (
    select base_date, realtime_start, value, origin, lag(value) over line as earlier, lag(origin) over line as follows
    from (
        select base_date, realtime_start, value, 'before' as origin from before
        union all select base_date, realtime_start, value, 'answer' from quoted
        union all select base_date, realtime_start, value, 'after' from after
    ) as days
    window line as (partition by base_date order by realtime_start)
), wanted as (
    -- A row that repeats the one before it is no vintage: FRED cuts realtime_start to the window.
    select base_date, realtime_start, value, origin
    from said
    where origin <> 'before' and (follows is null or value is distinct from earlier)
), present as (
    select s.base_date, s.realtime_start, s.value, s.source, s.run_id
    from stored as s
    left join after as a on a.base_date = s.base_date
    where s.realtime_start between s.first and %(until)s or s.realtime_start = a.realtime_start
), difference as (
    select base_date, realtime_start, w.value, w.origin, p.value as earlier, p.source, p.run_id
    from wanted as w
    full join present as p using (base_date, realtime_start)
    where w.origin is null or p.source is null or w.value is distinct from p.value
), kept as (
    insert into tb_macro_revision (
        macro_id, base_date, realtime_start, value, source, run_id, replaced_at, replaced_by, withdrawn)
    select %(macro_id)s, base_date, realtime_start, earlier, source, run_id, %(as_of)s, %(run_id)s, origin is null
    from difference where source is not null
), withdrawn as (
    delete from tb_macro_vintage as v using difference as d
    where v.macro_id = %(macro_id)s and v.base_date = d.base_date and v.realtime_start = d.realtime_start
      and d.origin is null
), changed as (
    update tb_macro_vintage as v set value = d.value, source = %(source)s, run_id = %(run_id)s
    from difference as d
    where v.macro_id = %(macro_id)s and v.base_date = d.base_date and v.realtime_start = d.realtime_start
      and d.origin is not null and d.source is not null
), added as (
    insert into tb_macro_vintage (macro_id, base_date, realtime_start, value, source, run_id)
    select %(macro_id)s, base_date, realtime_start, value, %(source)s, %(run_id)s
    from difference where source is null
)
select m.fred, d.base_date, d.realtime_start, d.value, d.earlier, d.origin, d.source is not null
from difference as d
join tb_macro as m on m.macro_id = %(macro_id)s
order by d.base_date, d.realtime_start
