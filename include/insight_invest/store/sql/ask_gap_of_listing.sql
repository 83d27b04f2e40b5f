-- A session's listing that was read, and lacks the ticker's bar, was asked in vain.
update tb_gap as g
set asked = g.asked || jsonb_build_object(l.source, jsonb_build_array(%(day)s::text))
from tb_listing as l
where l.iso_code = %(iso_code)s and l.session_date = g.trade_date and l.source = %(source)s
  and g.meta_id = any (%(meta_ids)s) and g.state = 'open' and g.asked -> l.source is null
