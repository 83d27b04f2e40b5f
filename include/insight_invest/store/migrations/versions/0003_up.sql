set local lock_timeout = '5s';

-- All that is stored is read and indexed anew: nobody may store, or read half of it, meanwhile.
lock table tb_bar, tb_action in access exclusive mode;

-- Sessions first, so that a day's bars of a market go into neighbouring pages of the key: ticker first, each goes into a
-- page of its own, which is written whole to the log (80 MB for 10,000 bars, instead of 9).
alter table tb_bar drop constraint tb_bar_pkey, add primary key (trade_date, meta_id);

-- The way to one ticker's history: eight tickers share the pages of a day, which is an eighth of the pages to write, and
-- eight entries to read where one is wanted, in pages that lie side by side. A query names the block beside the ticker.
create function insight_block(meta_id integer) returns integer language sql immutable parallel safe as $$
    select meta_id / 8
$$;
create index tb_bar_block on tb_bar (insight_block(meta_id), trade_date, meta_id);
create statistics tb_bar_block_of (dependencies) on insight_block(meta_id), meta_id from tb_bar;

-- A second read, twelve hours or more after the first, that says the same makes a bar final; not one that was traded and
-- has no open: half a bar, as US listings give it, only stands in for a whole one.
create function insight_confirms(
    final boolean, open double precision, volume bigint, observed_at timestamptz, as_of timestamptz
) returns boolean language sql stable parallel safe as $$
    select not final and (open is not null or coalesce(volume, 0) = 0) and observed_at <= as_of - interval '12 hours'
$$;

-- The newest session of each ticker: of nearly all it is one of the two newest, which lie side by side.
create view insight_watermark as
with edge as (
    select max(trade_date) as newest,
           (select max(trade_date) from tb_bar where trade_date < (select max(trade_date) from tb_bar)) as before
    from tb_bar
), recent as materialized (
    select meta_id, max(trade_date) as last_session from tb_bar
    where trade_date in ((select newest from edge), (select before from edge))
    group by meta_id
)
select m.meta_id, coalesce(recent.last_session, older.trade_date) as last_session
from tb_meta as m
left join recent on recent.meta_id = m.meta_id
left join lateral (
    select b.trade_date from tb_bar as b
    where recent.last_session is null and insight_block(b.meta_id) = insight_block(m.meta_id) and b.meta_id = m.meta_id
    order by b.trade_date desc limit 1
) as older on true;

-- A load of a market asks for more summaries than the server's queue holds, and each that is refused is a line in its
-- log. Vacuum makes them, too; until then the newest pages are read.
alter index tb_bar_run set (autosummarize = off);

-- As before, and a row of a dividend before the first bar, too: with it, the last ex-date of a ticker is known.
create or replace view tb_dividend_factor as
with dividend as (
    select a.meta_id, a.ex_date,
           -- an amount that eats the whole close is no dividend of this share: it is left out, not divided by; nor does
           -- one without a close before it take anything off
           case when a.value * later.factor < eve.close * eve_later.factor
               then 1 - a.value * later.factor / (eve.close * eve_later.factor) else 1 end as factor
    from tb_action as a
    left join lateral (
        select b.trade_date, b.close, b.basis_date from tb_bar as b
        where insight_block(b.meta_id) = insight_block(a.meta_id) and b.meta_id = a.meta_id and b.trade_date < a.ex_date
        order by b.trade_date desc limit 1
    ) as eve on true
    cross join lateral (
        select 1 / insight_product(s.value) as factor from tb_action as s
        where s.meta_id = a.meta_id and s.kind = 'split' and s.ex_date > a.basis_date
    ) as later
    cross join lateral (
        select 1 / insight_product(s.value) as factor from tb_action as s
        where s.meta_id = a.meta_id and s.kind = 'split' and s.ex_date > eve.basis_date
    ) as eve_later
    where a.kind in ('dividend', 'capital_gain')
), day as (
    select meta_id, ex_date, insight_product(factor) as factor from dividend group by meta_id, ex_date
)
select meta_id, ex_date, factor,
       insight_product(factor) over (partition by meta_id order by ex_date desc) as factor_before,
       coalesce(lag(ex_date) over (partition by meta_id order by ex_date), '-infinity') as applies_from
from day;

-- What tb_price multiplies by, as steps: of an array of n ascending ex-dates, the n + 1 factors between them. A factor is
-- found by one binary search within a row that is read once a ticker, where a sum over actions took one a bar.
create view insight_adjustment as
select ticker.meta_id,
       coalesce(split.dates, '{}') as split_dates, coalesce(split.factors, '{}') || 1::double precision as split_factors,
       coalesce(dividend.dates, '{}') as dividend_dates,
       coalesce(dividend.factors, '{}') || 1::double precision as dividend_factors
from tb_meta as ticker
cross join lateral (
    select array_agg(ex_date order by ex_date) as dates, array_agg(factor order by ex_date) as factors
    from (
        select ex_date, 1 / insight_product(value) over (order by ex_date desc) as factor
        from tb_action as a where a.meta_id = ticker.meta_id and a.kind = 'split'
    ) as later
) as split
cross join lateral (
    select array_agg(ex_date order by ex_date) as dates, array_agg(factor_before order by ex_date) as factors
    from tb_dividend_factor as d where d.meta_id = ticker.meta_id
) as dividend;

create table tb_adjustment (
    meta_id integer primary key references tb_meta on delete cascade,
    split_dates date[] not null default '{}',
    split_factors double precision[] not null default '{1}',
    dividend_dates date[] not null default '{}',
    dividend_factors double precision[] not null default '{1}'
);
comment on table tb_adjustment is 'derived: the rows of insight_adjustment, renewed with each action, and by the loader where a close before an ex-date changes';
insert into tb_adjustment select * from insight_adjustment;

create function insight_adjust(meta_ids integer[]) returns void language sql as $$
    insert into tb_adjustment as a
    select * from insight_adjustment where meta_id = any (meta_ids)
    on conflict (meta_id) do update
    set split_dates = excluded.split_dates, split_factors = excluded.split_factors,
        dividend_dates = excluded.dividend_dates, dividend_factors = excluded.dividend_factors
    where (a.split_dates, a.split_factors, a.dividend_dates, a.dividend_factors)
        is distinct from (excluded.split_dates, excluded.split_factors, excluded.dividend_dates, excluded.dividend_factors)
$$;

-- Whoever adds a ticker, or writes an action: a ticker has its row before it has a bar, and the row is right.
create function insight_adjust_written() returns trigger language plpgsql as $$
begin
    perform insight_adjust(array(select distinct meta_id from written));
    return null;
end $$;
create function insight_refuse_orphans() returns trigger language plpgsql as $$
begin
    if exists (select from tb_bar where insight_block(meta_id) = insight_block(old.meta_id) and meta_id = old.meta_id) then
        raise exception 'tb_bar has bars of % (meta_id %): without its definition nobody sees them', old.ticker, old.meta_id
            using errcode = 'foreign_key_violation';
    end if;
    return old;
end $$;
create trigger insight_refuse_orphans before delete on tb_meta
    for each row execute function insight_refuse_orphans();
create trigger insight_adjust after insert on tb_meta
    referencing new table as written for each statement execute function insight_adjust_written();
create trigger insight_adjust_inserted after insert on tb_action
    referencing new table as written for each statement execute function insight_adjust_written();
create trigger insight_adjust_updated after update on tb_action
    referencing new table as written for each statement execute function insight_adjust_written();
create trigger insight_adjust_deleted after delete on tb_action
    referencing old table as written for each statement execute function insight_adjust_written();

-- The block in the join is for a query that names a ticker. gross_return is a look-up a row of its own, which a query
-- that does not select it does not pay.
create or replace view tb_price as
select b.meta_id, b.trade_date,
       b.close * f.split as close,
       b.close * f.split * f.dividend as adj_close,
       (
           select b.close * f.split * f.dividend / (
               e.close * a.split_factors[width_bucket(e.basis_date, a.split_dates) + 1]
                   * a.dividend_factors[width_bucket(e.trade_date, a.dividend_dates) + 1]) - 1
           from tb_bar as e
           where insight_block(e.meta_id) = insight_block(b.meta_id) and e.meta_id = b.meta_id
             and e.trade_date < b.trade_date
           order by e.trade_date desc limit 1
       ) as gross_return,
       b.open * f.split as open,
       b.high * f.split as high,
       b.low * f.split as low,
       b.volume / f.split as volume,
       b.currency
from tb_bar as b
join tb_adjustment as a on a.meta_id = b.meta_id and insight_block(a.meta_id) = insight_block(b.meta_id)
cross join lateral (
    select a.split_factors[width_bucket(b.basis_date, a.split_dates) + 1] as split,
           a.dividend_factors[width_bucket(b.trade_date, a.dividend_dates) + 1] as dividend
) as f;
