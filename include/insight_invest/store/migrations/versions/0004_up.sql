set local lock_timeout = '5s';

-- A downgrade set this aside: take it up again.
do $$
begin
    if to_regnamespace('insight_archive_0004') is not null then
        execute format('alter table insight_archive_0004.tb_incident set schema %I', current_schema());
        drop schema insight_archive_0004;
    end if;
end $$;

-- What an operator was told, so that it is told once, and that a recovery can be told ---------------------------------
create table if not exists tb_incident (
    incident_id bigint generated always as identity primary key,
    dag_id text not null,
    kind text not null check (kind in ('late', 'failed')),
    cause text not null,
    dag_run_id text not null,
    opened_at timestamptz not null,
    message text not null,
    told_at timestamptz,
    closed_at timestamptz,
    closed_by text,
    unique (dag_id, kind, cause, dag_run_id)
);
create index if not exists tb_incident_open on tb_incident (dag_id) where closed_at is null;
comment on table tb_incident is 'one row for what an operator was told once: a late or failed run of a Dag';
comment on column tb_incident.cause is 'tells two of one kind and run apart';
comment on column tb_incident.dag_run_id is 'Airflow''s run_id of the run in which it was so, first';
comment on column tb_incident.told_at is 'when every channel had taken the message; null: some did not';
comment on column tb_incident.closed_by is 'the run that was well again, or who closed it';

-- Whose turn it is at a source, over all processes. Nobody misses it after a crash of the server: it is not logged ------
create unlogged table insight_request_pace (
    source text primary key,
    next_at timestamptz not null,
    day date not null,
    requests bigint not null
);
comment on table insight_request_pace is 'when the next request to a source may be sent, and how many were sent on its last day (UTC)';
