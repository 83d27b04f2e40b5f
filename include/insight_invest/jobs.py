"""The registry: one row per job. Dags, command line, task definitions, alarms and documents all read it.

Schedules are in Asia/Seoul: the US market of a day is closed and settled in Seoul's evening of the next day, Korea's
in the next early morning, and FRED's releases of a US day by Seoul's next morning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a job updates."""

    PRICES = "prices"
    MACRO = "macro"


class Tag(StrEnum):
    """The closed vocabulary of Dag tags."""

    PRICES = "prices"
    MACRO = "macro"
    US = "us"
    KR = "kr"
    UPDATER = "updater"
    UNIVERSE = "universe"
    QUALITY = "quality"
    BACKFILL = "backfill"
    LAKE = "lake"
    CANARY = "canary"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One scheduled updater."""

    name: str
    dag_id: str
    title: str
    kind: Kind
    iso_code: str  # the country whose definitions it updates: tb_meta.iso_code
    exchange: str  # MIC of the exchange whose sessions it follows; for macro, the one that FRED's working days resemble
    settles_after: timedelta  # how long after its close a session can be asked for
    schedule: str  # cron, in ``timezone``
    due: time  # on the day of the schedule, in ``timezone``: by then the data must be there
    execution_timeout: timedelta
    sources: tuple[str, ...]  # primary first
    needs: tuple[str, ...]  # environment variables without which it cannot start
    tags: tuple[Tag, ...]
    asset: str  # what a run updates, for whoever is scheduled on it
    timezone: str = "Asia/Seoul"
    retries: int = 2
    retry_delay: timedelta = timedelta(minutes=5)
    owner: str = "insight-invest"
    cpu: int = 256
    memory_mb: int = 512
    log_retention_days: int = 30

    @property
    def due_after(self) -> timedelta:
        """How long after its scheduled instant the data must be there."""
        return timedelta(hours=self.due.hour - self.at.hour, minutes=self.due.minute - self.at.minute)

    @property
    def at(self) -> time:
        """When it is scheduled, on its days and in ``timezone``."""
        minute, hour = self.schedule.split()[:2]
        return time(int(hour), int(minute))

    @property
    def pool(self) -> str:
        """The pool of Airflow that its updates take turns in: one a source."""
        return self.sources[0]


_ALL = (
    Job(
        name="us-price",
        dag_id="us_price_updater",
        title="US stock prices",
        kind=Kind.PRICES,
        iso_code="US",
        exchange="XNYS",
        settles_after=timedelta(minutes=90),
        schedule="0 18 * * TUE-SAT",
        due=time(19, 30),
        execution_timeout=timedelta(minutes=30),
        sources=("yahoo", "nasdaq"),
        needs=("DATABASE_URL",),
        tags=(Tag.UPDATER, Tag.PRICES, Tag.US),
        asset="us_prices",
    ),
    Job(
        name="kr-price",
        dag_id="kr_price_updater",
        title="Korean stock prices",
        kind=Kind.PRICES,
        iso_code="KR",
        exchange="XKRX",
        settles_after=timedelta(minutes=90),  # KRX's listing of 2026-03-19 moved until 16:54, the close is 15:30
        schedule="0 6 * * TUE-SAT",
        due=time(7, 30),
        execution_timeout=timedelta(minutes=30),
        sources=("krx", "naver", "yahoo"),
        needs=("DATABASE_URL",),
        tags=(Tag.UPDATER, Tag.PRICES, Tag.KR),
        asset="kr_prices",
    ),
    Job(
        name="macro",
        dag_id="macro_updater",
        title="US macro series",
        kind=Kind.MACRO,
        iso_code="US",
        exchange="XNYS",
        settles_after=timedelta(0),
        schedule="0 8 * * MON-SAT",
        due=time(9, 0),
        execution_timeout=timedelta(minutes=15),
        sources=("fred",),
        needs=("DATABASE_URL", "FRED_API_KEY"),
        tags=(Tag.UPDATER, Tag.MACRO, Tag.US),
        asset="us_macro",
    ),
)

JOBS: Mapping[str, Job] = MappingProxyType({job.name: job for job in _ALL})

# Every Dag there is: the jobs' own, and those beside them.
DAG_IDS = (*(job.dag_id for job in _ALL), "universe_sync", "data_integrity", "backfill", "lake_export", "canary")


def price_job(iso_code: str) -> Job:
    """The job that keeps the prices of a market that has one."""
    return next(job for job in _ALL if job.kind is Kind.PRICES and job.iso_code == iso_code)


def price_sources(iso_code: str) -> tuple[str, ...]:
    """The sources of a market's prices, best first; none for a market without a job."""
    return next((job.sources for job in _ALL if job.kind is Kind.PRICES and job.iso_code == iso_code), ())
