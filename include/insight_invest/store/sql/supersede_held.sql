-- Held rows of which the source has sent a good one since are no open question: what was confirmed as it stands is
-- released, what was corrected is rejected. So is a bar of a source that goes behind the one that has sent a good one.
with good as (
    select *
    from unnest(%(meta_id)s::integer[], %(trade_date)s::date[], %(kind)s::text[], %(value)s::double precision[])
        as g (meta_id, trade_date, kind, value)
), answered as (
    select q.quarantine_id, g.value = coalesce(q.payload ->> 'close', q.payload ->> 'value')::double precision as same,
           'a later read of the source was good' as note
    from tb_quarantine as q
    join good as g on g.meta_id = q.meta_id and g.kind = q.kind and g.trade_date = q.trade_date
    where q.status = 'held' and q.source = %(source)s
    union all
    select q.quarantine_id, false, 'the bar of a better source came'
    from tb_quarantine as q
    join good as g on g.meta_id = q.meta_id and g.kind = q.kind and g.trade_date = q.trade_date
    where q.status = 'held' and q.source = any (%(outranked)s) and q.kind = 'bar'
    union all
    -- a split that the source did not name: its history agrees with the store again
    select q.quarantine_id, false, 'a later read of the source was good'
    from tb_quarantine as q
    where q.status = 'held' and q.source = %(source)s and q.kind = 'split' and q.payload ->> 'value' is null
      and q.meta_id = any (%(agreeing)s)
)
update tb_quarantine as q
set status = case when a.same then 'released' else 'rejected' end, decided_at = %(as_of)s, decided_by = 'source',
    note = case when a.same then 'confirmed by a later read' else a.note end
from answered as a
where a.quarantine_id = q.quarantine_id
