-- Rows of stage_bar that differ from tb_bar, each in the shares of the stored bar (known) or in its own (new).
-- A quote is compared across a split by the ratio of all splits between the two basis dates. A better source's bar is
-- not replaced by a worse one's (outranked), which still says that the two differ.
create temporary table diff_bar on commit drop as
select s.meta_id, s.trade_date, b.meta_id is not null as known,
       coalesce(nullif(s.open, 'NaN') * f.factor, b.open) as open,
       coalesce(nullif(s.high, 'NaN') * f.factor, b.high) as high,
       coalesce(nullif(s.low, 'NaN') * f.factor, b.low) as low,
       coalesce(nullif(s.close, 'NaN') * f.factor, b.close) as close,
       coalesce(round(nullif(s.volume, 'NaN') / f.volume_factor)::bigint, b.volume) as volume,
       coalesce(b.basis_date, s.basis_date) as basis_date,
       b.meta_id is not null
           and coalesce(array_position(%(sources)s::text[], %(source)s::text), 1001)
               > coalesce(array_position(%(sources)s::text[], b.source), 1000) as outranked
from stage_bar as s
left join tb_bar as b on b.meta_id = s.meta_id and b.trade_date = s.trade_date
cross join lateral (
    select factor, case when %(volume_is_adjusted)s then factor else 1 end as volume_factor
    from (
        select case
            when b.basis_date is null or b.basis_date = s.basis_date then 1
            when b.basis_date < s.basis_date then (
                select insight_product(a.value) from tb_action as a
                where a.meta_id = s.meta_id and a.kind = 'split'
                  and a.ex_date > b.basis_date and a.ex_date <= s.basis_date)
            else (
                select 1 / insight_product(a.value) from tb_action as a
                where a.meta_id = s.meta_id and a.kind = 'split'
                  and a.ex_date > s.basis_date and a.ex_date <= b.basis_date)
        end as factor
    ) as between_bases
) as f
where b.meta_id is null
   or (b.source = %(fallback)s and %(source)s <> %(fallback)s)
   or insight_differs(nullif(s.open, 'NaN'), b.open, f.factor, %(unit)s)
   or insight_differs(nullif(s.high, 'NaN'), b.high, f.factor, %(unit)s)
   or insight_differs(nullif(s.low, 'NaN'), b.low, f.factor, %(unit)s)
   or insight_differs(nullif(s.close, 'NaN'), b.close, f.factor, %(unit)s)
   or abs(round(nullif(s.volume, 'NaN') / f.volume_factor) - coalesce(b.volume::double precision, 'NaN'))
      > case when f.volume_factor = 1 then 0 else 1 / f.volume_factor end
