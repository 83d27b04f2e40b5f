set local lock_timeout = '5s';

create schema insight_archive_0004;
alter table tb_incident set schema insight_archive_0004;
drop table insight_request_pace;
