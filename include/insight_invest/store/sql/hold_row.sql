-- Adds rows to the quarantine, and says of each whether it is there, or was decided about: the same row read on another
-- day is the same row. While nobody has decided it says what the last read said; what only its basis date says of it is
-- no news.
with quoted as (
    select *, insight_figures(payload) as figures
    from unnest(%(meta_id)s::integer[], %(ticker)s::text[], %(trade_date)s::date[], %(kind)s::text[],
                %(reason)s::text[], %(payload)s::jsonb[], %(proposal)s::jsonb[])
        with ordinality as q (meta_id, ticker, trade_date, kind, reason, payload, proposal, place)
), one_each as (
    select distinct on (meta_id, trade_date, kind, figures) *
    from quoted
    order by meta_id, trade_date, kind, figures, place
), added as (
    insert into tb_quarantine as t
        (run_id, meta_id, ticker, trade_date, kind, source, reason, payload, proposal, status, held_at)
    select %(run_id)s, meta_id, ticker, trade_date, kind, %(source)s, reason, payload, proposal, %(status)s, %(as_of)s
    from one_each
    order by place
    on conflict (meta_id, trade_date, source, kind, (status = 'repaired'), insight_figures(payload)) do update
    set reason = excluded.reason, payload = excluded.payload, proposal = excluded.proposal
    where t.status = 'held'
      and (t.reason, t.payload - 'basis_date', t.proposal - 'basis_date')
          is distinct from (excluded.reason, excluded.payload - 'basis_date', excluded.proposal - 'basis_date')
)
select coalesce(k.status, %(status)s)
from quoted as q
left join tb_quarantine as k
    on k.meta_id = q.meta_id and k.trade_date = q.trade_date and k.source = %(source)s and k.kind = q.kind
    and (k.status = 'repaired') = (%(status)s::text = 'repaired') and insight_figures(k.payload) = q.figures
order by q.place
