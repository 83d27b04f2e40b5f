-- The lake in DuckDB: set variable lake = 's3://bucket/prefix' (or a folder), then this file.
create or replace view prices as
select * from read_parquet(getvariable('lake') || '/prices/*/*/*.parquet', hive_partitioning = true);
create or replace view actions as
select * from read_parquet(getvariable('lake') || '/actions/*/*.parquet', hive_partitioning = true);
create or replace view adjustments as
select * from read_parquet(getvariable('lake') || '/adjustments/*/*.parquet', hive_partitioning = true);
create or replace view definitions as
select * from read_parquet(getvariable('lake') || '/definitions/*/*.parquet', hive_partitioning = true);
create or replace view series as
select * from read_parquet(getvariable('lake') || '/series/*.parquet');
create or replace view vintages as
select * from read_parquet(getvariable('lake') || '/vintages/*/*.parquet', hive_partitioning = true);

-- As PostgreSQL's tb_price: prices in today's shares, adj_close also less the dividends since.
create or replace view adjusted_prices as
with factored as (
    select p.*, coalesce(s.factor, 1) as split_factor, coalesce(d.factor, 1) as dividend_factor
    from prices as p
    asof left join (select * from adjustments where kind = 'split') as s
        on s.meta_id = p.meta_id and p.basis_date < s.ex_date
    asof left join (select * from adjustments where kind = 'dividend') as d
        on d.meta_id = p.meta_id and p.trade_date < d.ex_date
)
select f.market, i.ticker, f.meta_id, f.trade_date, f.close * f.split_factor as close,
       f.close * f.split_factor * f.dividend_factor as adj_close, f.open * f.split_factor as open,
       f.high * f.split_factor as high, f.low * f.split_factor as low, f.volume / f.split_factor as volume, f.currency
from factored as f
join definitions as i on i.meta_id = f.meta_id;

-- As tb_macro_data: each value as it is known now.
create or replace view macro_values as
select series, base_date, arg_max({'value': value}, realtime_start).value as value
from vintages
group by series, base_date;
