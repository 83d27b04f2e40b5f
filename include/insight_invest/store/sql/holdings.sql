select m.iso_code, count(*)::integer, count(newest.last_session)::integer, max(newest.last_session)
from tb_meta as m
left join insight_watermark as newest on newest.meta_id = m.meta_id
group by m.iso_code
union all
select 'macro', count(*)::integer, count(newest.base_date)::integer, max(newest.base_date)
from tb_macro as m
left join lateral (
    select base_date from tb_macro_vintage as v where v.macro_id = m.macro_id order by v.base_date desc limit 1
) as newest on true
where m.fred is not null
order by 1
