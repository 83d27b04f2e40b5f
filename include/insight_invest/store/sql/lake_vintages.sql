-- A value of a base_date, as it was known from realtime_start on; no value is FRED's ".".
select m.fred as series, v.macro_id, v.base_date, v.realtime_start, v.value, v.source, v.run_id
from tb_macro_vintage as v
join tb_macro as m on m.macro_id = v.macro_id
where m.fred is not null and (%(series)s::text is null or m.fred = %(series)s)
