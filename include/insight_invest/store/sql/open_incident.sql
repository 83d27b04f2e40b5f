insert into tb_incident as known (dag_id, kind, cause, dag_run_id, opened_at, message)
values (%(dag_id)s, %(kind)s, %(cause)s, %(dag_run_id)s, %(now)s, %(message)s)
on conflict (dag_id, kind, cause, dag_run_id) do update
set opened_at = excluded.opened_at, message = excluded.message, told_at = null, closed_at = null, closed_by = null
where known.closed_at is not null or (known.told_at is null and known.opened_at < %(untold_since)s)
returning incident_id
