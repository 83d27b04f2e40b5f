select distinct on (shard) run_id, shard, status, rows_new, rows_changed, rows_unchanged, rows_held,
    (select count(*) from jsonb_each(tickers) as s, jsonb_object_keys(s.value) where s.key <> 'part') as tickers
from tb_job_run
where job = %(job)s and trigger = %(trigger)s
order by shard, run_id desc
