-- Since when the first symbol was its own nobody says: from before every history, so that each day has a symbol.
insert into tb_symbol (meta_id, ticker, valid_from, valid_until, evidence)
values (%(meta_id)s, %(ticker)s, date '1900-01-01', %(until)s, %(evidence)s)
