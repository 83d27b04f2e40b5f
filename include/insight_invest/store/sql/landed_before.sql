-- The tickers that unfinished runs with the wish of run_id have landed: {ticker: state, reason, run}. The same wish is the
-- same job, shard and options with the same last session wanted, which is --end where that has passed. Of runs that land
-- in parts, only with %(parts)s, those parts in the place of the tickers.
with mine as (
    select * from tb_job_run where run_id = %(run_id)s
), same as (
    select r.*
    from tb_job_run as r
    join mine as m on r.job = m.job and r.shard = m.shard and r.options = m.options and r.run_id < m.run_id
    where least((r.options ->> 'end')::date, r.session_date) = %(end)s
)
select distinct on (ticker) ticker, ended.state, named ->> ticker, run_id
from same
cross join lateral jsonb_each(tickers) as ended (state, named)
cross join lateral jsonb_object_keys(named) as ticker
where case when %(parts)s then ended.state = %(part)s
           else ended.state in ('updated', 'unchanged', 'empty') and not tickers ? %(part)s end
  and as_of >= %(since)s
  and run_id > coalesce((select max(run_id) from same where status = 'succeeded'), 0)
order by ticker, run_id
