-- Who may do what. Two groups, neither of which owns anything: none of their members can drop, alter or truncate.
--     insight_updater   the jobs and the operator's commands, all but `db`
--     insight_reader    the API, the status page, whoever looks
-- Safe to run again, and on a database in use: a grant waits for no reader and no writer.
do $$
declare
    owner name := (select pg_get_userbyid(relowner) from pg_class where oid = 'tb_bar'::regclass);
begin
    -- A grant by anybody else is a warning, and void.
    if not pg_has_role(owner, 'usage') then
        raise exception 'the tables are those of %, who alone can grant on them', owner using errcode = '42501';
    end if;
    if to_regrole('insight_updater') is null then
        create role insight_updater nologin;
    end if;
    if to_regrole('insight_reader') is null then
        create role insight_reader nologin;
    end if;
    -- PostgreSQL 15 and newer let only the database's owner create in public, a database from before lets everybody.
    if has_schema_privilege('insight_reader', current_schema(), 'create')
        or has_schema_privilege('insight_updater', current_schema(), 'create')
    then
        execute format('revoke create on schema %I from public, insight_updater, insight_reader', current_schema());
    end if;
    if not has_schema_privilege('insight_reader', current_schema(), 'usage')
        or not has_schema_privilege('insight_updater', current_schema(), 'usage')
    then
        execute format('grant usage on schema %I to insight_updater, insight_reader', current_schema());
    end if;
    -- Rows go through a temporary table; everybody may have one, unless somebody has taken that away.
    if not has_database_privilege('insight_updater', current_database(), 'temporary') then
        execute format('grant temporary on database %I to insight_updater', current_database());
    end if;
    -- What anybody has given beside what follows is taken back; what a v2 database left is as it was.
    execute (
        select 'revoke all on ' || string_agg(oid::regclass::text, ', ') || ' from public, insight_updater, insight_reader'
        from pg_class
        where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v')
          and pg_get_userbyid(relowner) = owner and relname not like '%\_v2'
          and (relname like 'tb\_%' or relname like 'insight\_%')
    );
end $$;

-- Readers read everything that is ours, and so do updaters ------------------------------------------------------------
grant select on
    insight_schema_version, insight_adjustment, insight_request_pace, insight_watermark,
    tb_absence, tb_action, tb_adjustment, tb_bar, tb_bar_revision, tb_base_move, tb_disagreement, tb_gap, tb_incident, tb_job_run,
    tb_listing, tb_macro, tb_macro_revision, tb_macro_vintage, tb_meta, tb_quarantine, tb_session_override, tb_symbol,
    tb_dividend_factor, tb_macro_data, tb_price
to insight_reader, insight_updater;

-- Updaters add and correct; what was replaced is added to the revisions, and stays there as it is ---------------------
grant insert on tb_bar_revision, tb_listing, tb_macro_revision to insight_updater;
grant insert, update on
    insight_request_pace,
    tb_action, tb_adjustment, tb_bar, tb_base_move, tb_disagreement, tb_incident, tb_job_run, tb_quarantine,
    tb_session_override
to insight_updater;
grant update on tb_macro to insight_updater;

-- They take back what turns out not to have been: vintages that FRED withdraws (kept in tb_macro_revision), absences of a
-- share that is listed after all, and, when a share is renamed, the new symbol's own definition, under which nothing is.
grant insert, update, delete on tb_gap, tb_macro_vintage, tb_meta, tb_symbol to insight_updater;
grant insert, delete on tb_absence to insight_updater;
