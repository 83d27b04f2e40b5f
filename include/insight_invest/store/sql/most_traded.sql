-- Whose volume was the largest on %(day)s.
select meta_id from tb_bar
where meta_id = any (%(meta_ids)s) and trade_date = %(day)s
order by volume desc nulls last, meta_id
limit %(count)s
