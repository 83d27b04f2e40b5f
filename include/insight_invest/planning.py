"""What a run is going to do, settled before it starts: its session, whom it asks for, in how many parts.

A part is a shard of the tickers that one updater can ask for within its time-out; shards take turns, because the rate
of a source is everybody's.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime

from include.insight_invest import clock, on_ecs
from include.insight_invest.asked import check_tickers
from include.insight_invest.jobs import Job, Kind
from include.insight_invest.runner import settle_session
from include.insight_invest.settings import Execution, Settings
from include.insight_invest.store import universe
from include.insight_invest.store.database import Connection
from include.insight_invest.store.link import connect_patiently
from include.insight_invest.store.migrate import require_current
from include.insight_invest.updaters.holidays import holiday
from include.insight_invest.updaters.progress import RunOptions
from include.insight_invest.wording import count

MAX_SHARDS = 10  # with `prepare` and `audit` twelve tasks a run
# Of its time-out an updater spends this much asking; the rest is for retries, second sources and the database.
ASKING_SHARE = 0.7
# The updater's own secrets are its task definition's.
_ON_ECS = ("DATABASE_URL", *on_ecs.NEEDS)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run to be, settled at ``planned_at``. ``shards`` are (I, N); ``reason`` says why none of them has to be run."""

    planned_at: datetime
    as_of: datetime
    session: date
    tickers: int
    shards: tuple[tuple[int, int], ...]
    reason: str | None = None
    warning: str | None = None

    def label(self, shard: tuple[int, int]) -> str:
        """A shard as people read it."""
        if len(self.shards) == 1:
            return f"{self.session} · {count(self.tickers, 'ticker')}" if self.tickers else str(self.session)
        return f"{self.session} · part {shard[0]} of {shard[1]}"


def plan(job: Job, options: RunOptions, settings: Settings) -> Plan:
    """The plan of a run of ``job`` with ``options``; reads the database, asks no source.

    Raises ConfigurationError, UsageError, SchemaError or StoreError for what the run could not do either.
    """
    settings.require(_ON_ECS if settings.execution is Execution.ECS else job.needs)
    now = clock.now()
    as_of, session = settle_session(job, options, now)
    with connect_patiently(settings, application=f"insight-invest plan {job.name}") as connection:
        require_current(connection)
        check_tickers(connection, job, options.tickers)
        tickers = _tickers(connection, job, options, session)
        wanted = _parts(job, options, settings, tickers)
        shards = tuple((index, min(wanted, MAX_SHARDS)) for index in range(1, min(wanted, MAX_SHARDS) + 1))
        reason = _nothing_to_do(connection, job, session, as_of, shards) if options.is_daily else None
    warning = None
    if wanted > MAX_SHARDS:
        warning = (
            f"{count(tickers, 'ticker')} need {wanted} parts of {job.execution_timeout}, a run has {MAX_SHARDS}: raise "
            f"the rate of {job.sources[0]} or follow fewer"
        )
    return Plan(
        planned_at=now,
        as_of=as_of,
        session=session,
        tickers=tickers,
        shards=shards,
        reason=reason,
        warning=warning,
    )


def _tickers(connection: Connection, job: Job, options: RunOptions, session: date) -> int:
    if job.kind is Kind.MACRO:
        return len(universe.series(connection, options.tickers))
    return len(universe.targets(connection, job.iso_code, options.tickers, session=session))


def _parts(job: Job, options: RunOptions, settings: Settings, tickers: int) -> int:
    """How many parts: one where one listing has the whole market, else as many as the source's rate makes necessary."""
    source = job.sources[0]
    if job.iso_code == "KR":
        if not options.full_refresh:
            return 1
        source = "naver"
    seconds = job.execution_timeout.total_seconds() * ASKING_SHARE
    return max(1, math.ceil(tickers / (settings.rate_of(source) * seconds)))


def _nothing_to_do(
    connection: Connection, job: Job, session: date, as_of: datetime, shards: tuple[tuple[int, int], ...]
) -> str | None:
    if job.kind is not Kind.PRICES:
        return None
    found = [holiday(connection, job, session, as_of, shard) for shard in shards]
    if any(one is None or one.left for one in found):
        return None
    return found[0].why if found[0] else None
