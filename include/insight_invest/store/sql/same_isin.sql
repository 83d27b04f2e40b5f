-- A known share whose symbol the listing lacks, and an unknown symbol with its ISIN. The differences of the two sets are
-- small: they are taken first, because a fresh tb_meta has no statistics, and a join of two markets would go pair by pair.
with listing as materialized (
    select ticker, isin, count(*) over (partition by isin) as twice
    from unnest(%(tickers)s::text[], %(isins)s::text[]) as l (ticker, isin)
), known as materialized (
    select ticker::text as ticker, isin::text as isin, count(*) over (partition by isin) as twice
    from tb_meta where iso_code = %(iso_code)s
), gone as materialized (
    select ticker, isin from known
    where twice = 1 and isin <> '' and ticker in (select ticker from known except select ticker from listing)
), come as materialized (
    select ticker, isin from listing
    where twice = 1 and ticker in (select ticker from listing except select ticker from known)
)
select gone.ticker, come.ticker, isin from gone join come using (isin) order by 1
