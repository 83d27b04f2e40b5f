-- Rows of stage_bar that differ from tb_bar, as quoted: in the shares of their own basis date. Only what the source gives
-- no value of is taken over from the stored bar, put into those shares by factor, the ratio of all splits between the two
-- basis dates. A row so written stays right where a split between the two is learnt, or corrected, afterwards.
-- Volume that the source gives as it was traded (Naver) is brought into the shares of the basis date first. Whoever
-- restates volume for a split cuts it to whole shares: it differs by more than slack, one share after each split.
-- What the close, quoted or stored, contradicts is none: a high under it, a low over it. So is what was taken over and
-- lies outside what was quoted with it. The slack is a price's tick.
-- A better source's bar is not replaced by a worse one's (outranked), which still says that the two differ.
create temporary table diff_bar on commit drop as
select s.meta_id, s.trade_date, b.meta_id is not null as known, o.open, h.high, l.low, c.close,
       round(coalesce(s.volume, b.volume * f.factor))::bigint as volume,
       s.basis_date, f.factor,
       b.meta_id is not null
           and coalesce(array_position(%(sources)s::text[], %(source)s::text), 1001)
               > coalesce(array_position(%(sources)s::text[], b.source), 1000) as outranked
from (
    select q.meta_id, q.trade_date, q.basis_date, nullif(q.open, 'NaN') as open, nullif(q.high, 'NaN') as high,
           nullif(q.low, 'NaN') as low, nullif(q.close, 'NaN') as close,
           nullif(q.volume, 'NaN') * case when %(volume_is_adjusted)s then 1 else (
               select insight_product(a.value) from tb_action as a
               where a.meta_id = q.meta_id and a.kind = 'split'
                 and a.ex_date > q.trade_date and a.ex_date <= q.basis_date) end as volume
    from stage_bar as q
) as s
left join tb_bar as b on b.meta_id = s.meta_id and b.trade_date = s.trade_date
cross join lateral (
    select case
        when b.basis_date is null or b.basis_date = s.basis_date then 1
        when b.basis_date < s.basis_date then (
            select insight_product(a.value) from tb_action as a
            where a.meta_id = s.meta_id and a.kind = 'split' and a.ex_date > b.basis_date and a.ex_date <= s.basis_date)
        else (
            select 1 / insight_product(a.value) from tb_action as a
            where a.meta_id = s.meta_id and a.kind = 'split' and a.ex_date > s.basis_date and a.ex_date <= b.basis_date)
    end as factor
) as f
cross join lateral (
    -- another source's word that there was no trade: its predecessor's open, high and low were made up (Yahoo's of a halt)
    select s.open is null and s.high is null and s.low is null and coalesce(s.volume = 0 and b.source <> %(source)s, false) as halted
) as n
cross join lateral (select coalesce(s.close, b.close / f.factor) as close) as p
cross join lateral (
    select p.close, 1.000001 * greatest(
        1e-6 * p.close, case when %(currency)s = 'KRW' then 0 when p.close >= 1 then 0.01 else 0.0001 end) as slack
) as c
cross join lateral (select case when s.high >= c.close - c.slack then s.high end as high) as q
cross join lateral (select case when s.low <= c.close + c.slack then s.low end as low) as r
cross join lateral (
    select coalesce(q.high, case when not n.halted and b.high / f.factor >= greatest(c.close, s.open, r.low) - c.slack
                                 then b.high / f.factor end) as high
) as h
cross join lateral (
    select coalesce(r.low, case when not n.halted and b.low / f.factor <= least(c.close, s.open, q.high) + c.slack
                                then b.low / f.factor end) as low
) as l
cross join lateral (
    select coalesce(s.open, case when not n.halted and b.open / f.factor <= coalesce(h.high, 'infinity') + c.slack
                                  and b.open / f.factor >= coalesce(l.low, 0) - c.slack then b.open / f.factor end) as open
) as o
where b.meta_id is null
   or (b.source = %(fallback)s and %(source)s <> %(fallback)s)
   or insight_differs(s.open, b.open, f.factor, %(unit)s)
   or insight_differs(q.high, b.high, f.factor, %(unit)s)
   or insight_differs(r.low, b.low, f.factor, %(unit)s)
   or insight_differs(s.close, b.close, f.factor, %(unit)s)
   or case
       when s.volume is null or round(s.volume / f.factor) = b.volume then false
       when b.volume is null then true
       else abs(s.volume / f.factor - b.volume) > 0.5 + (
           -- in stored shares: what a share after each split since the session is of them
           select coalesce(sum(share), 0) from (
               select insight_product(case when a.ex_date > b.basis_date then 1 / a.value else 1 end) over earlier
                   * insight_product(case when a.ex_date > b.basis_date then 1 else a.value end) over later as share
               from tb_action as a
               where a.meta_id = s.meta_id and a.kind = 'split' and a.ex_date > s.trade_date
               window earlier as (order by a.ex_date),
                      later as (order by a.ex_date desc
                                rows between unbounded preceding and 1 preceding)
           ) as split)
   end
