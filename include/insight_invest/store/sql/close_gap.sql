-- A bar came, or none is expected any more: the market was closed that day, or the ticker was not listed.
update tb_gap as g
set state = case when b.trade_date is null then 'not_expected' else 'healed' end, closed_at = %(as_of)s
from tb_gap as o
join tb_meta as m using (meta_id)
left join tb_bar as b on b.meta_id = o.meta_id and b.trade_date = o.trade_date
where g.meta_id = o.meta_id and g.trade_date = o.trade_date
  and o.meta_id = any (%(meta_ids)s) and o.state in ('open', 'source_gap') and o.trade_date <= %(until)s
  and (b.trade_date is not null or o.trade_date >= m.delisted_on
       or o.trade_date <> all (%(sessions)s::date[]))
returning g.state
