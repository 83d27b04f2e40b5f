-- Who keeps a run from its lease: of a whole run (not %(shared)s) whoever has any lock of the job, of a shard a whole run
-- or the same shard.
select string_agg(format('pid %%s, %%s, since %%s UTC', pid, application_name,
                         to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')), '; ' order by pid)
from pg_locks
join pg_stat_activity using (pid)
where locktype = 'advisory' and objsubid = 1 and granted and pid <> pg_backend_pid()
  and pg_locks.database = (select oid from pg_database where datname = current_database())
  and ((classid::bigint << 32) | objid::bigint = hashtextextended(%(whole)s, 0)
           and (not %(shared)s or mode = 'ExclusiveLock')
       or (classid::bigint << 32) | objid::bigint = hashtextextended(%(part)s, 0))
