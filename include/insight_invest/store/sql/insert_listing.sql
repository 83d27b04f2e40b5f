insert into tb_listing (iso_code, session_date, source, listed, run_id)
values (%(iso_code)s, %(session)s, %(source)s, %(count)s, %(run_id)s)
on conflict do nothing
