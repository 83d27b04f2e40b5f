-- A run that has failed is not late any more: that it failed is told.
insert into tb_incident as known (dag_id, kind, cause, dag_run_id, opened_at, message)
select %(dag_id)s, %(kind)s, %(cause)s, %(dag_run_id)s, %(now)s, %(message)s
where %(kind)s <> 'late' or not exists (
    select from tb_incident
    where dag_id = %(dag_id)s and dag_run_id = %(dag_run_id)s and kind = 'failed' and closed_at is null
)
on conflict (dag_id, kind, cause, dag_run_id) do update
set opened_at = excluded.opened_at, message = excluded.message, told_at = null, closed_at = null, closed_by = null
where known.closed_at is not null or (known.told_at is null and known.opened_at < %(untold_since)s)
returning incident_id
