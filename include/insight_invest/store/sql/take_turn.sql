-- The next turn at a source; how many seconds until it comes. All by the server's clock, after the row was locked: whoever
-- asks next comes an interval later. A clock that was set back, by hand or by a failover, keeps nobody waiting for ever:
-- over 1,000 turns ahead nobody has queued.
insert into insight_request_pace as pace (source, next_at, day, requests)
values (
    %(source)s,
    clock_timestamp() + make_interval(secs => %(interval)s),
    (clock_timestamp() at time zone 'UTC')::date,
    1
)
on conflict (source) do update set
    next_at = least(
        greatest(pace.next_at, clock_timestamp()),
        clock_timestamp() + make_interval(secs => 1000 * %(interval)s)
    ) + make_interval(secs => %(interval)s),
    day = greatest(pace.day, excluded.day),
    requests = case when excluded.day > pace.day then 1 else pace.requests + 1 end
returning greatest(0, extract(epoch from next_at - make_interval(secs => %(interval)s) - clock_timestamp()))::float8
