-- Two sources agree that there is nothing, or the only one has said so on several days.
update tb_gap as g
set state = 'source_gap', closed_at = %(as_of)s
where g.meta_id = any (%(meta_ids)s) and g.state = 'open'
  and ((select count(*) from jsonb_object_keys(g.asked)) >= %(agreeing)s
       or (select max(jsonb_array_length(days.value)) from jsonb_each(g.asked) as days) >= %(days)s)
