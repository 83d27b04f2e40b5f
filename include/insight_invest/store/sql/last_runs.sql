select distinct on (job)
    job, run_id, status, session_date, started_at,
    extract(epoch from finished_at - started_at)::double precision as seconds,
    (select count(*)::integer from jsonb_each(tickers - 'part') as state, jsonb_object_keys(state.value)) as tickers,
    rows_new, rows_changed, rows_unchanged, rows_held, requests, error
from tb_job_run
where job = any (%(jobs)s)
order by job, run_id desc
