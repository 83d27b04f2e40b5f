-- Those whose first recorded listing is not before their day, where there is one within [since, day) that lacked them.
select m.meta_id
from unnest(%(meta_ids)s::integer[], %(days)s::date[], %(since)s::date[]) as q (meta_id, day, since)
join tb_meta as m using (meta_id)
where coalesce(m.first_listed, q.day) >= q.day
  and exists (
      select from tb_listing as l
      where l.iso_code = m.iso_code and l.session_date >= q.since and l.session_date < q.day)
