-- tb_adjustment, a row a step: `factor` is for what lies before ex_date, down to the ex_date before it.
select m.iso_code as market, a.meta_id, step.kind, step.ex_date, step.factor
from tb_adjustment as a
join tb_meta as m on m.meta_id = a.meta_id
cross join lateral (
    select 'split' as kind, ex_date, factor
    from unnest(a.split_dates, a.split_factors[:cardinality(a.split_dates)]) as split (ex_date, factor)
    union all
    select 'dividend', ex_date, factor
    from unnest(a.dividend_dates, a.dividend_factors[:cardinality(a.dividend_dates)]) as dividend (ex_date, factor)
) as step
where %(market)s::text is null or m.iso_code = %(market)s
