set local lock_timeout = '5s';

-- The columns stay: 0001 reads and writes around them. What it cannot read is set aside.
create schema insight_archive_0002;
alter table tb_session_override set schema insight_archive_0002;
alter table tb_gap set schema insight_archive_0002;
alter table tb_listing set schema insight_archive_0002;
alter table tb_absence set schema insight_archive_0002;
alter table tb_symbol set schema insight_archive_0002;
alter table tb_disagreement set schema insight_archive_0002;
alter table tb_base_move set schema insight_archive_0002;
alter table tb_macro_revision set schema insight_archive_0002;

drop index tb_bar_run;
drop index tb_quarantine_row;
drop function insight_figures(jsonb);
create unique index tb_quarantine_row
    on tb_quarantine (meta_id, trade_date, source, md5((payload - 'basis_date')::text));
