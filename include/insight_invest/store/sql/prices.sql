-- Not sorted, and without gross_return: the reader has both for less from the rows themselves. A week before the range has
-- the eve of its first session; where trading paused for longer it is looked up.
select array_agg(trade_date), array_agg(coalesce(open, 'NaN')), array_agg(coalesce(high, 'NaN')),
       array_agg(coalesce(low, 'NaN')), array_agg(close), array_agg(coalesce(volume, 'NaN')), array_agg(adj_close),
       array[min(currency) filter (where trade_date >= %(start)s), max(currency) filter (where trade_date >= %(start)s)]
from tb_price
where meta_id = %(meta_id)s and trade_date between %(start)s::date - 7 and %(end)s
