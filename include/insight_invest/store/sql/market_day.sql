select array_agg(meta_id), array_agg(coalesce(open, 'NaN')), array_agg(coalesce(high, 'NaN')),
       array_agg(coalesce(low, 'NaN')), array_agg(close), array_agg(coalesce(volume, 'NaN')), array_agg(adj_close)
from tb_price
where trade_date = %(day)s and meta_id = any (array(select meta_id from tb_meta where iso_code = %(iso_code)s))
