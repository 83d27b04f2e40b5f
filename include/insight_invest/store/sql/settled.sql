-- Per shard of the newest division: the sessions between which whole runs, finished, have looked.
with whole as (
    select * from tb_job_run
    where job = %(job)s and status = 'succeeded'
      and not options ?| array['tickers', 'start', 'end']
)
select shard, (select min(session_date) from whole), max(session_date)
from whole
where split_part(shard, '/', 2) = (select split_part(shard, '/', 2) from whole order by run_id desc limit 1)
  and session_date is not null
group by shard
order by shard
