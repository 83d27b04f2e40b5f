-- A run that has failed is not late any more, and what its tasks have told, the run need not: what was told before the
-- run was started (again, where it was cleared) does not count. A finding that was told of another run is noted as told.
insert into tb_incident as known (dag_id, kind, cause, dag_run_id, opened_at, message, told_at)
select %(dag_id)s, %(kind)s, %(cause)s, %(dag_run_id)s, coalesce(same.opened_at, %(now)s), %(message)s,
       case when same.opened_at is not null then %(now)s::timestamptz end
from (
    select min(opened_at) as opened_at from tb_incident
    where dag_id = %(dag_id)s and kind = %(kind)s and cause = %(cause)s and closed_at is null and told_at is not null
      and opened_at > %(repeated_since)s and strpos(message, %(finding)s::text) > 0
) same
where (%(kind)s <> 'late' and %(cause)s <> %(whole_run)s) or not exists (
    select from tb_incident
    where dag_id = %(dag_id)s and dag_run_id = %(dag_run_id)s and kind = 'failed' and closed_at is null
      and coalesce(told_at >= %(started_at)s::timestamptz, true)
)
on conflict (dag_id, kind, cause, dag_run_id) do update
set opened_at = excluded.opened_at, message = excluded.message, told_at = excluded.told_at,
    closed_at = null, closed_by = null
where known.closed_at is not null or (known.kind = 'failed' and known.told_at < %(started_at)s)
returning case when told_at is null then incident_id end
