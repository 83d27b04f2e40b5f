set local lock_timeout = '5s';

-- A downgrade set these aside: take them up again.
do $$
declare
    kept text;
begin
    if to_regnamespace('insight_archive_0002') is not null then
        foreach kept in array array[
            'tb_session_override', 'tb_gap', 'tb_listing', 'tb_absence', 'tb_symbol', 'tb_disagreement',
            'tb_macro_revision', 'tb_base_move'
        ] loop
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
-- The same row is one of the same close, or value, to the seven figures that a 32-bit float has: its volume moves from
-- read to read. Of one that was read with several the decided one stays, or else the newest.
create or replace function insight_figures(payload jsonb) returns text language sql immutable parallel safe as $$
    select coalesce(to_char(coalesce(payload ->> 'close', payload ->> 'value')::double precision, '9.999999EEEE'), '')
$$;
delete from tb_quarantine as t
using (
    select quarantine_id, row_number() over (
        partition by meta_id, trade_date, source, kind, status = 'repaired', insight_figures(payload)
        order by status = 'held', quarantine_id desc) as place
    from tb_quarantine
) as same
where same.quarantine_id = t.quarantine_id and same.place > 1;
drop index if exists tb_quarantine_row;
create unique index tb_quarantine_row
    on tb_quarantine (meta_id, trade_date, source, kind, (status = 'repaired'), insight_figures(payload));

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
alter table tb_meta add column if not exists first_listed date;
alter table tb_meta add column if not exists listed_from date;
alter table tb_meta add column if not exists delisted_on date;
comment on column tb_meta.first_listed is
    'the first session whose recorded listing had it; null: none had, and so its absence says nothing (US listings hold no funds)';
comment on column tb_meta.listed_from is 'first_listed, where that is later than the market''s first recorded listing';
comment on column tb_meta.delisted_on is 'the first session on which the listing lacked it, once five sessions'' listings had';

create table if not exists tb_gap (
    meta_id integer not null references tb_meta,
    trade_date date not null,
    state text not null check (state in ('open', 'source_gap', 'healed', 'not_expected')),
    asked jsonb not null default '{}',
    run_id bigint not null,
    found_at timestamptz not null,
    closed_at timestamptz,
    primary key (meta_id, trade_date)
);
create index if not exists tb_gap_open on tb_gap (meta_id) where state = 'open';
comment on column tb_gap.asked is 'on which days (UTC) each source was asked in vain: {source: [day]}';
comment on column tb_gap.state is
    'open: asked again; source_gap: two sources agree that there is nothing, or the only one said so on three days; healed: the bar came; not_expected: the market was closed, or the ticker not listed';

create table if not exists tb_listing (
    iso_code text not null,
    session_date date not null,
    source text not null,
    listed integer not null,
    run_id bigint not null,
    primary key (iso_code, session_date)
);
comment on table tb_listing is 'the sessions whose listing was read whole: what tb_absence and tb_meta.first_listed count in';

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

create table if not exists tb_base_move (
    meta_id integer not null references tb_meta,
    ex_date date not null,
    state text not null check (state in ('open', 'action', 'no_action', 'unexplained')),
    base double precision not null,
    stored_close double precision not null,
    stocks_before double precision,
    stocks double precision,
    evidence jsonb,
    run_id bigint not null,
    found_at timestamptz not null,
    settled_at timestamptz,
    primary key (meta_id, ex_date)
);
create index if not exists tb_base_move_open on tb_base_move (meta_id) where state = 'open';
comment on table tb_base_move is
    'sessions whose base price (KRX: Close - Changes) was not the stored close before: splits, bonus and rights issues, mergers';
comment on column tb_base_move.state is
    'open: asked again; action: its factor is in tb_action; no_action: no history was restated for it; unexplained: none was in ten sessions, although one should have been';

alter table tb_macro add column if not exists status text not null default 'live'
    check (status in ('live', 'unknown', 'discontinued'));
alter table tb_macro add column if not exists status_since timestamptz;
comment on column tb_macro.status is
    'unknown: FRED does not know the id; discontinued: FRED''s title or a long silence says that it has ended';

-- The newest vintage of a series, without a look at the millions of one that is revised every week.
create index if not exists tb_macro_vintage_newest on tb_macro_vintage (macro_id, realtime_start);

create table if not exists tb_macro_revision (
    revision_id bigint generated by default as identity primary key,
    macro_id integer not null references tb_macro,
    base_date date not null,
    realtime_start date not null,
    value double precision,
    source text not null,
    run_id bigint not null,
    replaced_at timestamptz not null,
    replaced_by bigint not null,
    withdrawn boolean not null
);
create index if not exists tb_macro_revision_vintage on tb_macro_revision (macro_id, base_date, realtime_start);
comment on table tb_macro_revision is 'vintages that FRED has contradicted: asked again, it said something else of that day';
comment on column tb_macro_revision.withdrawn is 'no vintage took its place: on that day nothing had become known';

-- What a run wrote, for its audit, without a look at every bar: bars lie in the order in which runs wrote them -----------
create index if not exists tb_bar_run on tb_bar using brin (run_id) with (pages_per_range = 32, autosummarize = on);

-- The ledger also keeps what the operator was told ------------------------------------------------------------------
alter table tb_job_run add column if not exists notes jsonb not null default '[]';
