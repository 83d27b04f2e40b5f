with closed as (
    update tb_incident set closed_at = %(now)s, closed_by = %(dag_run_id)s
    where dag_id = %(dag_id)s and closed_at is null
      and (dag_run_id = %(dag_run_id)s or opened_at < %(opened_before)s::timestamptz)
    returning incident_id, kind, dag_run_id, opened_at
)
select kind, dag_run_id, opened_at from closed order by opened_at, incident_id
