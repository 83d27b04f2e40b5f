-- The stored bars of a span of days a ticker, as one array a column.
select array_agg(b.meta_id), array_agg(b.trade_date), array_agg(coalesce(b.open, 'NaN')),
       array_agg(coalesce(b.high, 'NaN')), array_agg(coalesce(b.low, 'NaN')), array_agg(b.close),
       array_agg(coalesce(b.volume, 'NaN'::double precision)), array_agg(b.basis_date),
       array_agg(b.source = %(source)s), array_agg(insight_confirms(b.final, b.open, b.volume, b.observed_at, %(as_of)s))
from unnest(%(meta_ids)s::integer[], %(first)s::date[], %(last)s::date[]) as q (meta_id, first, last)
join tb_bar as b on insight_block(b.meta_id) = insight_block(q.meta_id) and b.meta_id = q.meta_id
    and b.trade_date between q.first and q.last
