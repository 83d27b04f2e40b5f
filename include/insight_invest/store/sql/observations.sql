-- v2 kept no vintages: when its values became known is not known, so they answer only "what is known now".
select distinct on (v.base_date) v.base_date, v.value, v.realtime_start
from tb_macro_vintage as v
join tb_macro as m on m.macro_id = v.macro_id
where m.fred = %(fred)s
  and (%(as_of)s::date is null or (v.realtime_start <= %(as_of)s and v.source <> 'v2'))
order by v.base_date, v.realtime_start desc
