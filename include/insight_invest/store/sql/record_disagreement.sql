with found as (
    insert into tb_disagreement as d (
        meta_id, trade_date, field, source, value, other_source, other_value, run_id, found_at)
    select meta_id, trade_date, field, source, value, other_source, other_value, %(run_id)s, %(as_of)s
    from unnest(%(meta_id)s::integer[], %(trade_date)s::date[], %(field)s::text[], %(source)s::text[],
                %(value)s::double precision[], %(other_source)s::text[], %(other_value)s::double precision[])
        as q (meta_id, trade_date, field, source, value, other_source, other_value)
    on conflict (meta_id, trade_date, field, source, other_source) do update
    set value = excluded.value, other_value = excluded.other_value, run_id = excluded.run_id,
        found_at = excluded.found_at, settled_at = null
    -- a run that is repeated for a past instant reopens nothing that was settled after it
    where greatest(d.found_at, d.settled_at) < excluded.found_at
      and (d.settled_at is not null or (d.value, d.other_value) is distinct from (excluded.value, excluded.other_value))
    returning d.meta_id, d.trade_date, d.field, d.source, d.value, d.other_source, d.other_value
)
select m.ticker, f.trade_date, f.field, f.source, f.value, f.other_source, f.other_value
from found as f
join tb_meta as m on m.meta_id = f.meta_id
order by m.ticker, f.trade_date, f.field
