select meta_id, ticker, name, isin, security_type, asset_class, sector, iso_code, market, marketcap, fee, remark
from tb_meta
where meta_id > %(after)s
  and (%(iso_code)s::text is null or iso_code = %(iso_code)s)
order by meta_id
limit %(limit)s
