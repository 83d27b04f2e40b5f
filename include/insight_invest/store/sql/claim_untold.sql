-- Told as far as others can see, so that only one process tells it; whoever cannot takes that back.
with claimed as (
    update tb_incident set told_at = %(now)s
    where incident_id in (
        select incident_id from tb_incident
        where closed_at is null and told_at is null and opened_at <= %(untold_since)s
        order by incident_id
        limit 20
        for update skip locked
    )
    returning incident_id, dag_id, kind, dag_run_id, message
)
select incident_id, dag_id, kind, dag_run_id, message from claimed order by incident_id
