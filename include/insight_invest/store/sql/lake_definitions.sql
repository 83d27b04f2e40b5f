select iso_code as market, meta_id, ticker, name, isin, security_type, asset_class, sector, market as board, marketcap, fee,
       remark, listed_from, delisted_on
from tb_meta
where %(market)s::text is null or iso_code = %(market)s
