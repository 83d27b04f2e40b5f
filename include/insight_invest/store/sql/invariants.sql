-- 1. Success without a finished ledger row is a lie: the judged run (%(run_id)s), or the newest one that is not at work,
--    must be there and have ended; where that was a shard, the newest of each shard of that division.
with attempt as (
    select * from tb_job_run
    where job = %(job)s and (%(run_id)s::bigint is null or run_id = %(run_id)s)
      and (%(run_id)s::bigint is not null or not (%(at_work)s and status = 'running'))
)
select format('the newest run of %%s (%%s) is %%s: it has not committed its ledger row', job, run_id, status)
from (
    select distinct on (shard) * from attempt
    where split_part(shard, '/', 2) = (select split_part(shard, '/', 2) from attempt order by run_id desc limit 1)
    order by shard, run_id desc
) as newest
where status in ('running', 'lost')
union all
select format('there is no ledger row of %%s', %(job)s::text)
where not exists (select from attempt)
union all
-- 2. A ledger row without its data is impossible: each row written is a bar or a vintage of that run, an earlier one, or
--    the taking back of a vintage, which leaves only the earlier one. With a judged run only its rows are looked at: bars
--    by tb_bar_run, not all of them after each run.
select format('run %%s of %%s says it wrote %%s rows, the tables have %%s', r.run_id, r.job, r.rows_new + r.rows_changed,
              coalesce(w.written, 0))
from tb_job_run as r
left join (
    select run_id, count(*) as written
    from (select run_id from tb_bar
          union all select run_id from tb_bar_revision
          union all select run_id from tb_macro_vintage where run_id is not null
          union all select run_id from tb_macro_revision
          union all select replaced_by from tb_macro_revision where withdrawn) as rows
    where %(run_id)s::bigint is null or run_id = %(run_id)s
    group by run_id
) as w using (run_id)
where r.rows_new + r.rows_changed <> coalesce(w.written, 0)
  and (%(run_id)s::bigint is null or run_id = %(run_id)s)
union all
-- 3. Data without a ledger row is impossible: with a judged run, of what was written since it began.
select format('%%s has rows of run %%s, which the ledger does not know', origin, run_id)
from (
    select distinct origin, run_id
    from (select 'tb_bar' as origin, run_id from tb_bar
          union all select 'tb_bar_revision', run_id from tb_bar_revision
          union all select 'tb_action', run_id from tb_action
          union all select 'tb_quarantine', run_id from tb_quarantine
          union all select 'tb_gap', run_id from tb_gap
          union all select 'tb_listing', run_id from tb_listing
          union all select 'tb_absence', run_id from tb_absence
          union all select 'tb_symbol', run_id from tb_symbol
          union all select 'tb_disagreement', run_id from tb_disagreement
          union all select 'tb_base_move', run_id from tb_base_move
          union all select 'tb_session_override', nullif(run_id, 0) from tb_session_override
          union all select 'tb_macro_vintage', run_id from tb_macro_vintage
          union all select 'tb_macro_revision', run_id from tb_macro_revision
          union all select 'tb_macro_revision', replaced_by from tb_macro_revision) as rows
    where %(run_id)s::bigint is null or run_id >= %(run_id)s
) as written
where run_id is not null and not exists (select from tb_job_run as r where r.run_id = written.run_id)
union all
-- 4. A bar whose close is outside its own low and high, by more than a tick, is impossible.
(
    select format('the bar of %%s on %%s is impossible: close %%s, low %%s, high %%s',
                  m.ticker, b.trade_date, b.close, b.low, b.high)
    from tb_bar as b
    join tb_meta as m using (meta_id)
    where (%(run_id)s::bigint is null or b.run_id >= %(run_id)s)
      and greatest(b.close - b.high, b.low - b.close)
              > 1.00001 * greatest(1e-6 * b.close, case when b.currency = 'KRW' then 0 when b.close >= 1 then 0.01 else 0.0001 end)
    order by b.meta_id, b.trade_date
    limit 20
)
union all
-- 5. A bar of nobody is invisible: each is of a ticker that tb_meta has. tb_bar has no foreign key, for speed.
select format('tb_bar has bars of meta_id %%s, which tb_meta does not have', meta_id)
from (select distinct meta_id from tb_bar where %(run_id)s::bigint is null or run_id >= %(run_id)s) as b
where not exists (select from tb_meta as m where m.meta_id = b.meta_id)
union all
-- 6. What tb_price multiplies by is what the actions say, and every ticker has it: with a judged run, of the tickers of
--    which actions were written since it began.
select format('tb_adjustment of meta_id %%s is not what its actions say: its adjusted prices are wrong', meta_id)
from insight_adjustment as wanted
where (%(run_id)s::bigint is null or meta_id in (select meta_id from tb_action where run_id >= %(run_id)s))
  and not exists (
      select from tb_adjustment as a
      where a.meta_id = wanted.meta_id
        and (a.split_dates, a.split_factors, a.dividend_dates, a.dividend_factors)
            = (wanted.split_dates, wanted.split_factors, wanted.dividend_dates, wanted.dividend_factors))
