insert into tb_meta as m (
    ticker, name, isin, security_type, asset_class, sector, iso_code, marketcap, fee, remark, market
)
select * from unnest(
    %(ticker)s::text[], %(name)s::text[], %(isin)s::text[], %(security_type)s::text[], %(asset_class)s::text[],
    %(sector)s::text[], %(iso_code)s::text[], %(marketcap)s::double precision[]::bigint[],
    %(fee)s::double precision[], %(remark)s::text[], %(market)s::text[]
)
on conflict (iso_code, ticker) do update
set name = coalesce(excluded.name, m.name), isin = coalesce(excluded.isin, m.isin),
    -- a listing knows these only roughly: what somebody has written stands
    security_type = case when %(by_hand)s then excluded.security_type else m.security_type end,
    asset_class = case when %(by_hand)s then coalesce(excluded.asset_class, m.asset_class)
        else coalesce(m.asset_class, excluded.asset_class) end,
    sector = case when %(by_hand)s then coalesce(excluded.sector, m.sector)
        else coalesce(m.sector, excluded.sector) end,
    marketcap = coalesce(excluded.marketcap, m.marketcap), fee = coalesce(excluded.fee, m.fee),
    remark = coalesce(excluded.remark, m.remark), market = coalesce(excluded.market, m.market)
where %(update)s and (m.name, m.isin, m.security_type, m.asset_class, m.sector, m.marketcap, m.fee, m.remark, m.market)
    is distinct from (
        coalesce(excluded.name, m.name), coalesce(excluded.isin, m.isin),
        case when %(by_hand)s then excluded.security_type else m.security_type end,
        case when %(by_hand)s then coalesce(excluded.asset_class, m.asset_class)
            else coalesce(m.asset_class, excluded.asset_class) end,
        case when %(by_hand)s then coalesce(excluded.sector, m.sector)
            else coalesce(m.sector, excluded.sector) end,
        coalesce(excluded.marketcap, m.marketcap),
        coalesce(excluded.fee, m.fee), coalesce(excluded.remark, m.remark), coalesce(excluded.market, m.market))
returning (xmax = 0)
