-- The stored bars of some days, as one array a column.
select array_agg(b.meta_id), array_agg(b.trade_date), array_agg(coalesce(b.open, 'NaN')),
       array_agg(coalesce(b.high, 'NaN')), array_agg(coalesce(b.low, 'NaN')), array_agg(b.close),
       array_agg(coalesce(b.volume, 'NaN'::double precision)), array_agg(b.basis_date),
       array_agg(b.source = %(source)s), array_agg(insight_confirms(b.final, b.open, b.volume, b.observed_at, %(as_of)s))
from tb_bar as b
where b.trade_date = any (%(days)s) and b.meta_id = any (%(meta_ids)s)
