select 1 where exists (select from tb_bar where meta_id = %(meta_id)s)
union all
select 1 where exists (select from tb_action where meta_id = %(meta_id)s)
union all
select 1 where exists (select from tb_quarantine where meta_id = %(meta_id)s)
union all
select 1 where exists (select from tb_disagreement where meta_id = %(meta_id)s)
limit 1
