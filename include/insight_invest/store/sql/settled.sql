-- Per shard of one division: the sessions between which whole runs, finished, have looked. The division is the one whose
-- shards have all reached farthest: while a new one lacks a shard, or has an old session of it, the former tells.
with whole as (
    select shard, split_part(shard, '/', 2)::integer as parts, session_date, run_id from tb_job_run
    where job = %(job)s and status = 'succeeded' and session_date is not null
      and not options ?| array['tickers', 'start', 'end']
), looked as (
    select shard, parts, max(session_date) as until, max(run_id) as run_id from whole group by shard, parts
), division as (
    select parts from looked group by parts having count(*) = parts order by min(until) desc, max(run_id) desc limit 1
)
select shard, (select min(session_date) from whole), until
from looked join division using (parts)
order by shard
