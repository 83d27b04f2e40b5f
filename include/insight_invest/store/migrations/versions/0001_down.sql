set local lock_timeout = '5s';

drop view tb_price;
drop view tb_dividend_factor;
drop view tb_macro_data;
drop aggregate insight_product(double precision);
drop function insight_differs(double precision, double precision, double precision, double precision);

create schema insight_archive;
alter table tb_job_run set schema insight_archive;
alter table tb_bar set schema insight_archive;
alter table tb_bar_revision set schema insight_archive;
alter table tb_action set schema insight_archive;
alter table tb_macro_vintage set schema insight_archive;
alter table tb_quarantine set schema insight_archive;

do $$
begin
    if to_regclass('tb_price_v2') is not null then
        alter table tb_price_v2 rename to tb_price;
    end if;
    if to_regclass('tb_macro_data_v2') is not null then
        alter table tb_macro_data_v2 rename to tb_macro_data;
    end if;
end $$;
-- tb_meta and tb_macro, with what was added to them, stay: v2 reads them as before.
