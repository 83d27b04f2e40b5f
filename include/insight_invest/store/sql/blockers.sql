-- What session %(pid)s waits for, and each session that keeps it waiting. A row lock is waited for as a transaction,
-- with a lock on the row's tuple beside it that names the table. What a session does is shown to its own role and to
-- pg_read_all_stats only; its application is shown to all.
select coalesce(
           (select relation::regclass::text from pg_locks
            where pid = %(pid)s and relation is not null and (not granted or locktype = 'tuple') limit 1),
           (select case locktype when 'advisory' then 'batches, one of which lands at a time,' else locktype end
            from pg_locks where pid = %(pid)s and not granted limit 1)
       ) as waited_for,
       format('pid %%s (%%s)', b.pid, concat_ws(', ',
           nullif(b.application_name, ''), 'role ' || b.usename, host(b.client_addr), b.state,
           'transaction open since ' || to_char(b.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'))) as holder
from unnest(pg_blocking_pids(%(pid)s)) as held (pid)
join pg_stat_activity as b using (pid)
order by b.pid
