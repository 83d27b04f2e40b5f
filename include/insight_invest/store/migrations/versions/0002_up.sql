set local lock_timeout = '5s';

-- A downgrade set these aside: take them up again.
do $$
declare
    kept text;
begin
    if to_regnamespace('insight_archive_0002') is not null then
        foreach kept in array array['tb_session_override', 'tb_gap', 'tb_absence', 'tb_symbol', 'tb_disagreement'] loop
            execute format('alter table insight_archive_0002.%I set schema %I', kept, current_schema());
        end loop;
        drop schema insight_archive_0002;
    end if;
end $$;

-- Quarantine: also of splits and dividends, with what the row perhaps should have been -----------------------------
alter table tb_quarantine add column if not exists kind text not null default 'bar'
    check (kind in ('bar', 'split', 'dividend', 'capital_gain'));
alter table tb_quarantine add column if not exists proposal jsonb;
alter table tb_quarantine drop constraint if exists tb_quarantine_status_check;
alter table tb_quarantine add constraint tb_quarantine_status_check
    check (status in ('held', 'released', 'rejected', 'repaired'));
comment on column tb_quarantine.trade_date is 'of a split or dividend: its ex-date';
comment on column tb_quarantine.proposal is 'what the row would be without the damage that the check names; null where none is known';
comment on column tb_quarantine.status is 'held; repaired: stored without its impossible fields, which the payload keeps; released and rejected by decision';
drop index if exists tb_quarantine_row;
create unique index tb_quarantine_row
    on tb_quarantine (meta_id, trade_date, source, kind, md5((payload - 'basis_date')::text));

-- Sessions: what the market's silence says about the calendar -------------------------------------------------------
create table if not exists tb_session_override (
    exchange text not null,
    session_date date not null,
    state text not null check (state in ('suspected', 'closed', 'open')),
    evidence jsonb not null default '{}',
    run_id bigint not null,
    observed_at timestamptz not null,
    decided_at timestamptz,
    decided_by text,
    note text,
    primary key (exchange, session_date)
);
comment on table tb_session_override is
    'suspected: no source had a bar 12 hours after the close; closed: an operator confirmed it; open: bars came after all, or an operator refused it';

-- Completeness: a session without a bar has a reason ----------------------------------------------------------------
alter table tb_meta add column if not exists listed_from date;
alter table tb_meta add column if not exists delisted_on date;
comment on column tb_meta.delisted_on is 'the first session on which the listing lacked it, once five sessions'' listings had';

create table if not exists tb_gap (
    meta_id integer not null references tb_meta,
    trade_date date not null,
    state text not null check (state in ('open', 'source_gap', 'healed')),
    asked jsonb not null default '{}',
    run_id bigint not null,
    found_at timestamptz not null,
    closed_at timestamptz,
    primary key (meta_id, trade_date)
);
create index if not exists tb_gap_open on tb_gap (meta_id) where state = 'open';
comment on column tb_gap.asked is 'when each source was last asked in vain: {source: instant}';
comment on column tb_gap.state is 'open: asked again; source_gap: two sources agree that there is nothing; healed: the bar came';

create table if not exists tb_absence (
    meta_id integer not null references tb_meta,
    session_date date not null,
    source text not null,
    run_id bigint not null,
    primary key (meta_id, session_date)
);
comment on table tb_absence is 'a session whose listing lacked a followed ticker: the evidence for tb_meta.delisted_on';

create table if not exists tb_symbol (
    meta_id integer not null references tb_meta,
    ticker text not null,
    valid_from date not null,
    valid_until date,
    evidence text not null,
    run_id bigint,
    primary key (meta_id, valid_from)
);
comment on table tb_symbol is 'earlier and present symbols of one identity; a ticker that was never renamed has no row';

-- Second sources ----------------------------------------------------------------------------------------------------
create table if not exists tb_disagreement (
    meta_id integer not null references tb_meta,
    trade_date date not null,
    field text not null,
    source text not null,
    value double precision not null,
    other_source text not null,
    other_value double precision not null,
    run_id bigint not null,
    found_at timestamptz not null,
    settled_at timestamptz,
    primary key (meta_id, trade_date, field, source, other_source)
);
comment on table tb_disagreement is 'two sources that differ by more than the tolerance, found by the daily sample';

-- Actions that were inferred, and series that stopped ---------------------------------------------------------------
alter table tb_action add column if not exists evidence jsonb;
comment on column tb_action.evidence is 'of an action that no source names: what it was inferred from';

alter table tb_macro add column if not exists status text not null default 'live'
    check (status in ('live', 'unknown', 'discontinued'));
alter table tb_macro add column if not exists status_since timestamptz;
comment on column tb_macro.status is 'unknown: FRED does not know the id; discontinued: FRED says that it ends';

-- The ledger also keeps what the operator was told ------------------------------------------------------------------
alter table tb_job_run add column if not exists notes jsonb not null default '[]';
