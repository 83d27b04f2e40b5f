-- Of each job the newest whole run of every shard of its newest division, and a run of some tickers or of a range where
-- that is the newest of all.
with run as (
    select *, options ?| array['tickers', 'start', 'end'] as partial from tb_job_run where job = any (%(jobs)s)
), division as (
    select distinct on (job) job, split_part(shard, '/', 2) as parts from run where not partial order by job, run_id desc
), newest as (
    select max(run_id) as run_id from run join division using (job)
    where not partial and split_part(shard, '/', 2) = parts
    group by job, shard
    union
    select max(run_id) from run group by job
)
select
    shard, job, run_id, status, session_date, started_at,
    extract(epoch from finished_at - started_at)::double precision as seconds,
    (select count(*)::integer from jsonb_each(tickers - 'part') as state, jsonb_object_keys(state.value)) as tickers,
    rows_new, rows_changed, rows_unchanged, rows_held, requests, error
from run join newest using (run_id)
order by job, shard, run_id
