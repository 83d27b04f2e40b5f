-- Adds rows to the quarantine, and says of each whether it is there, or was decided about: the same row read on another
-- day is the same row.
with quoted as (
    select *
    from unnest(%(meta_id)s::integer[], %(ticker)s::text[], %(trade_date)s::date[], %(kind)s::text[],
                %(reason)s::text[], %(payload)s::jsonb[], %(proposal)s::jsonb[])
        with ordinality as q (meta_id, ticker, trade_date, kind, reason, payload, proposal, place)
), added as (
    insert into tb_quarantine
        (run_id, meta_id, ticker, trade_date, kind, source, reason, payload, proposal, status, held_at)
    select %(run_id)s, meta_id, ticker, trade_date, kind, %(source)s, reason, payload, proposal, %(status)s, %(as_of)s
    from quoted
    order by place
    on conflict (meta_id, trade_date, source, kind, md5((payload - 'basis_date')::text)) do nothing
)
select coalesce(k.status, %(status)s)
from quoted as q
left join tb_quarantine as k
    on k.meta_id = q.meta_id and k.trade_date = q.trade_date and k.source = %(source)s and k.kind = q.kind
    and md5((k.payload - 'basis_date')::text) = md5((q.payload - 'basis_date')::text)
order by q.place
