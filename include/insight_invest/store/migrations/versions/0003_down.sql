set local lock_timeout = '5s';

create or replace view tb_price as
select b.meta_id, b.trade_date,
       b.close * split.factor as close,
       b.close * split.factor * coalesce(d.factor_before, 1) as adj_close,
       b.close * split.factor * coalesce(d.factor_before, 1)
           / (eve.close * eve.factor * coalesce(de.factor_before, 1)) - 1 as gross_return,
       b.open * split.factor as open,
       b.high * split.factor as high,
       b.low * split.factor as low,
       b.volume / split.factor as volume,
       b.currency
from tb_bar as b
cross join lateral (
    select 1 / insight_product(s.value) as factor from tb_action as s
    where s.meta_id = b.meta_id and s.kind = 'split' and s.ex_date > b.basis_date
) as split
left join tb_dividend_factor as d
    on d.meta_id = b.meta_id and b.trade_date >= d.applies_from and b.trade_date < d.ex_date
left join lateral (
    select e.trade_date, e.close, (
        select 1 / insight_product(s.value) from tb_action as s
        where s.meta_id = e.meta_id and s.kind = 'split' and s.ex_date > e.basis_date
    ) as factor
    from tb_bar as e
    where e.meta_id = b.meta_id and e.trade_date < b.trade_date
    order by e.trade_date desc limit 1
) as eve on true
left join tb_dividend_factor as de
    on de.meta_id = b.meta_id and eve.trade_date >= de.applies_from and eve.trade_date < de.ex_date;

drop trigger insight_refuse_orphans on tb_meta;
drop function insight_refuse_orphans();
drop trigger insight_adjust on tb_meta;
drop trigger insight_adjust_inserted on tb_action;
drop trigger insight_adjust_updated on tb_action;
drop trigger insight_adjust_deleted on tb_action;
drop function insight_adjust_written();
drop function insight_adjust(integer[]);
drop table tb_adjustment;
drop view insight_adjustment;
create or replace view tb_dividend_factor as
with dividend as (
    select a.meta_id, a.ex_date,
           -- an amount that eats the whole close is no dividend of this share: it is left out, not divided by
           case when a.value * later.factor < eve.close * eve_later.factor
               then 1 - a.value * later.factor / (eve.close * eve_later.factor) else 1 end as factor
    from tb_action as a
    cross join lateral (
        select b.trade_date, b.close, b.basis_date from tb_bar as b
        where b.meta_id = a.meta_id and b.trade_date < a.ex_date
        order by b.trade_date desc limit 1
    ) as eve
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

drop view insight_watermark;
drop statistics tb_bar_block_of;
drop index tb_bar_block;
drop function insight_block(integer);
drop function insight_confirms(boolean, double precision, bigint, timestamptz, timestamptz);
alter table tb_bar drop constraint tb_bar_pkey, add primary key (meta_id, trade_date);
alter index tb_bar_run set (autosummarize = on);
