-- An amount is compared across a split between the two basis dates and stored as quoted, as bars are.
with quoted as (
    select *
    from unnest(%(meta_id)s::integer[], %(ex_date)s::date[], %(kind)s::text[], %(value)s::double precision[],
                %(basis_date)s::date[]) as q (meta_id, ex_date, kind, value, basis_date)
), split as (
    select meta_id, ex_date, value from quoted where kind = 'split'
    union all
    select a.meta_id, a.ex_date, a.value from tb_action as a
    where a.kind = 'split' and a.meta_id = any (%(meta_id)s::integer[])
      and not exists (
          select from quoted as q where q.kind = 'split' and q.meta_id = a.meta_id and q.ex_date = a.ex_date)
), compared as (
    select q.*, a.value as stored, case
        when q.kind = 'split' or a.basis_date is null or a.basis_date = q.basis_date then 1
        when a.basis_date < q.basis_date then (
            select insight_product(s.value) from split as s
            where s.meta_id = q.meta_id and s.ex_date > a.basis_date and s.ex_date <= q.basis_date)
        else (
            select 1 / insight_product(s.value) from split as s
            where s.meta_id = q.meta_id and s.ex_date > q.basis_date and s.ex_date <= a.basis_date)
    end as factor, (
        -- Yahoo rounds amounts to six decimals whenever it restates them
        select case when count(*) = 0 then 0
            else 1e-6 * insight_product(case when s.ex_date > a.basis_date then greatest(s.value, 1) else 1 end) end
        from split as s
        where s.meta_id = q.meta_id and s.ex_date > q.ex_date
    ) as slack
    from quoted as q
    left join tb_action as a on a.meta_id = q.meta_id and a.ex_date = q.ex_date and a.kind = q.kind
)
insert into tb_action as a (meta_id, ex_date, kind, value, basis_date, source, currency, observed_at, run_id)
select meta_id, ex_date, kind, value, basis_date, %(source)s, %(currency)s, %(as_of)s, %(run_id)s
from compared
where stored is null or abs(value * factor - stored) > greatest(1e-6 * stored, case when kind = 'split' then 0 else slack end)
on conflict (meta_id, ex_date, kind) do update
set value = excluded.value, basis_date = excluded.basis_date, source = excluded.source, currency = excluded.currency,
    observed_at = excluded.observed_at, run_id = excluded.run_id,
    earlier = a.earlier || jsonb_build_object(
        'value', a.value, 'basis_date', a.basis_date, 'source', a.source, 'run_id', a.run_id)
returning meta_id, (select ticker from tb_meta as m where m.meta_id = a.meta_id), ex_date, kind, value,
          (earlier -> -1 ->> 'value')::double precision, earlier = '[]'
