-- Each source that answered of a ticker without the missing bar was asked in vain, once a day.
update tb_gap as g
set asked = g.asked || jsonb_build_object(
    %(source)s::text, coalesce(g.asked -> %(source)s, '[]') || to_jsonb(%(day)s::text))
from unnest(%(meta_ids)s::integer[], %(since)s::date[]) as answered (meta_id, since)
where g.meta_id = answered.meta_id and g.state = 'open'
  and g.trade_date between answered.since and %(until)s
  and not coalesce(g.asked -> %(source)s, '[]') @> to_jsonb(%(day)s::text)
