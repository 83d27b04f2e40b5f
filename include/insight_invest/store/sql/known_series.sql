-- Of each series: its status, the newest vintage that FRED gave, and the newest as_of of a run that asked for all of its
-- observations (the ledger is the memory: a day without news writes nothing else). A reason says that a run did less.
with asked as (
    select done.fred, max(r.as_of) as as_of
    from tb_job_run as r
    cross join lateral (
        select key, value from jsonb_each(r.tickers -> 'updated')
        union all
        select key, value from jsonb_each(r.tickers -> 'unchanged')
    ) as done (fred, reason)
    where r.job = %(job)s and not r.options ?| array['start', 'end'] and done.reason = 'null'
    group by done.fred
)
select m.macro_id, m.status, m.status_since, asked.as_of as asked, newest.realtime_start as newest
from tb_macro as m
left join asked on asked.fred = m.fred
left join lateral (
    select max(v.realtime_start) as realtime_start from tb_macro_vintage as v
    where v.macro_id = m.macro_id and v.source <> 'v2'
) as newest on true
where m.fred is not null
