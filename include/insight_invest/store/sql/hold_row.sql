with held as (
    insert into tb_quarantine (run_id, meta_id, ticker, trade_date, source, reason, payload, held_at)
    values (%(run_id)s, %(meta_id)s, %(ticker)s, %(trade_date)s, %(source)s, %(reason)s, %(payload)s, %(as_of)s)
    on conflict (meta_id, trade_date, source, md5((payload - 'basis_date')::text)) do nothing
    returning status
)
select status from held
union all
select status from tb_quarantine
where meta_id = %(meta_id)s and trade_date = %(trade_date)s and source = %(source)s
  and md5((payload - 'basis_date')::text) = md5((%(payload)s::jsonb - 'basis_date')::text)
