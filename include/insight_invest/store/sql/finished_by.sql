-- The newest attempt of each shard, with the rows of all attempts: what one that was killed had committed came, too.
select distinct on (shard) run_id, shard, status,
    (sum(rows_new) over attempts)::bigint as rows_new, (sum(rows_changed) over attempts)::bigint as rows_changed,
    rows_unchanged, (sum(rows_held) over attempts)::bigint as rows_held,
    (select count(*) from jsonb_each(tickers) as s, jsonb_object_keys(s.value) where s.key <> 'part') as tickers
from tb_job_run
where job = %(job)s and trigger = %(trigger)s and (%(since)s::timestamptz is null or started_at >= %(since)s)
window attempts as (partition by shard)
order by shard, run_id desc
