-- A followed share that listings had and this one lacks, and an unknown symbol with its very name; as in same_isin.sql.
with listing as materialized (
    select ticker, name, count(*) over (partition by name) as twice
    from unnest(%(tickers)s::text[], %(names)s::text[]) as l (ticker, name)
), known as materialized (
    select ticker::text as ticker, name::text as name, first_listed is not null and delisted_on is null as is_followed
    from tb_meta where iso_code = %(iso_code)s
), gone as materialized (
    select ticker, name from known
    where is_followed and name <> '' and ticker in (select ticker from known except select ticker from listing)
), come as materialized (
    select ticker, name from listing
    where twice = 1 and ticker in (select ticker from listing except select ticker from known)
)
select gone.ticker, come.ticker from gone join come using (name) order by 1
