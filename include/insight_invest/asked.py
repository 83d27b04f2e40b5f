"""Whether a run can do what it is asked for: what is wrong is said before anything is started, and is no run."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from include.insight_invest import sessions
from include.insight_invest.errors import UsageError
from include.insight_invest.jobs import Job, Kind
from include.insight_invest.store import symbols, universe
from include.insight_invest.store.database import Connection
from include.insight_invest.updaters.progress import RunOptions

_CLOCK_SKEW = timedelta(minutes=5)  # between whoever schedules and this machine
# A run looks back: the first year of the tables is there for that.
_FIRST_AS_OF = date(sessions.FIRST_DAY.year + 1, 1, 1)


def check_options(options: RunOptions, as_of: datetime, now: datetime) -> None:
    """Raise UsageError for an instant that cannot be looked at, or for options that contradict each other."""
    if as_of.tzinfo is None:
        raise UsageError("--as-of has no time zone: write it as 2026-11-20T09:00+09:00")
    if not _FIRST_AS_OF <= as_of.date() <= sessions.LAST_DAY:
        raise UsageError(f"--as-of {as_of.isoformat()} is not between {_FIRST_AS_OF} and {sessions.LAST_DAY}")
    if as_of > now + _CLOCK_SKEW:
        raise UsageError(f"--as-of {as_of.isoformat()} has not come yet: what a source says now is not of then")
    if options.start and options.end and options.start > options.end:
        raise UsageError(f"--start {options.start} is after --end {options.end}")
    index, count = options.shard
    if not 1 <= index <= count:
        raise UsageError(f"--shard {index}/{count}: I must be from 1 to N")


def check_range(job: Job, options: RunOptions, session: date) -> None:
    """Raise UsageError where a range of prices has no session up to the run's own."""
    start, end = options.start or sessions.FIRST_DAY, min(options.end or session, session)
    if job.kind is not Kind.PRICES or _between(job.exchange, start, end):
        return
    if options.start and options.end:
        wanted = f"between {options.start} and {options.end}"
    else:
        wanted = f"since {options.start}" if options.start else f"until {options.end}"
    before = _between(job.exchange, sessions.FIRST_DAY, end)
    last = f"; the last one is {before[-1]}" if before else ""
    raise UsageError(f"no session of {job.exchange} {wanted}{last}")


def _between(exchange: str, start: date, end: date) -> list[date]:
    start = max(start, sessions.FIRST_DAY)
    return sessions.sessions(exchange, start, end) if start <= end else []


def check_tickers(connection: Connection, job: Job, tickers: Sequence[str]) -> None:
    """Raise UsageError for what nobody follows: a typing mistake is no run, and is not in the ledger."""
    if not tickers:
        return
    if job.kind is Kind.MACRO:
        universe.require_series(connection, tickers)
    elif job.iso_code != "KR" or universe.targets(connection, job.iso_code):  # the first listing makes the universe
        symbols.require_known(connection, [job.iso_code], tickers)
