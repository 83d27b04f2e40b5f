"""What is proven after a run: ledger and data agree, and every session of every ticker is there or explained."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from include.insight_invest import sessions
from include.insight_invest.errors import CoverageBroken, InvariantBroken
from include.insight_invest.jobs import Job, Kind
from include.insight_invest.settings import Settings
from include.insight_invest.store import coverage, ledger, overrides
from include.insight_invest.store.coverage import TickerCoverage
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.store.ledger import Finished
from include.insight_invest.store.migrate import require_current
from include.insight_invest.store.universe import targets
from include.insight_invest.updaters.expected import expected_sessions
from include.insight_invest.wording import count

log = logging.getLogger(__name__)

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class JobCoverage:
    """What a job's market has of what is expected; the counts are of pairs of ticker and session."""

    job: str
    until: date | None  # the newest session that a whole run has looked at; None: none has yet
    tickers: int
    sessions: int  # expected: from a ticker's first bar, or its listing, to ``until`` or its delisting
    bars: int
    without_trade: int  # of the bars: halted, or nobody traded
    held: int  # without a bar: held back, or rejected
    source_gaps: int
    open_gaps: int
    unexplained: int
    closures: int  # sessions of the tables that are suspected or confirmed closures: of these nothing is expected
    rows: Sequence[TickerCoverage]

    @property
    def share(self) -> float:
        """How much of what is expected there is, as a bar."""
        return self.bars / self.sessions if self.sessions else 1.0

    def __str__(self) -> str:
        return (
            f"{self.job}: {count(self.sessions, 'session')} of {count(self.tickers, 'ticker')} up to {self.until}: "
            f"{count(self.bars, 'bar')} ({self.without_trade:,} without trade), {self.held:,} held back, "
            f"{self.source_gaps:,} that no source has, {self.open_gaps:,} missing and asked for again, "
            f"{self.unexplained:,} unexplained"
        )


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What an audit has proven of a run: what it wrote, and for prices what its market then has."""

    runs: Sequence[Finished]
    coverage: JobCoverage | None

    @property
    def rows(self) -> dict[str, int]:
        """Rows by what became of them."""
        return ledger.rows_of(self.runs)


def audit_run(
    job: Job, settings: Settings, trigger: str, shards: Sequence[tuple[int, int]], since: datetime | None = None
) -> Proof:
    """Prove that what ``trigger`` started, ``since`` then, is committed, shard by shard, and then as ``audit``.

    Raises InvariantBroken where a shard that is said to be done has no successful run in the ledger.
    """
    settings.require(["DATABASE_URL"])
    with connect(settings.database(), application=f"insight-invest audit {job.name}") as connection:
        require_current(connection)
        runs = ledger.finished_by(connection, job.name, trigger, since)
    done = {run.shard for run in runs if run.status == "succeeded"}
    lacking = [f"{index}/{count}" for index, count in shards if f"{index}/{count}" not in done]
    if lacking:
        raise InvariantBroken(
            f"the ledger has no successful run of {job.name} by {trigger!r} for part {', '.join(lacking)}, although "
            "its task has succeeded. Clear `update` to run it again"
        )
    judged = [run for run in runs if run.shard in {f"{index}/{count}" for index, count in shards}]
    return Proof(runs=judged, coverage=audit(job, settings, *(run.run_id for run in judged)))


def audit(job: Job, settings: Settings, *run_ids: int) -> JobCoverage | None:
    """Prove the invariants, of ``run_ids`` where they are given; for prices also that nothing is missing unrecorded.

    Returns the coverage of a price job. Open gaps are told, not failed: they are asked for again. Raises
    InvariantBroken naming each invariant that does not hold, CoverageBroken naming tickers.
    """
    settings.require(["DATABASE_URL"])
    with connect(settings.database(), application=f"insight-invest audit {job.name}") as connection:
        require_current(connection)
        found = [
            sentence
            for run_id in run_ids or (None,)
            for sentence in ledger.broken_invariants(connection, job.name, run_id)
        ]
        if found:
            raise InvariantBroken(f"ledger and data are apart in {count(len(found), 'place')}: {'; '.join(found)}")
        if job.kind is not Kind.PRICES:
            return None
        covered = cover(connection, job)
    log.info("%s", covered)
    if error := broken(covered):
        raise error
    return covered


def broken(covered: JobCoverage) -> CoverageBroken | None:
    """What is wrong with ``covered``: sessions that are missing without a record."""
    if not covered.unexplained:
        return None
    named = [f"{one.ticker} {one.unexplained}" for one in covered.rows if one.unexplained]
    more = f" and {count(len(named) - SHOWN, 'more ticker')}" if len(named) > SHOWN else ""
    return CoverageBroken(
        f"{count(covered.unexplained, 'session')} without bar, reason or open gap: {', '.join(named[:SHOWN])}{more}. "
        f"Run --job {covered.job} again: it records them"
    )


def cover(connection: Connection, job: Job, tickers: Sequence[str] = ()) -> JobCoverage:
    """What ``job``'s market, or ``tickers`` of it, has up to the newest session that a whole run looked at."""
    rows: list[TickerCoverage] = []
    without_trade = 0
    looked = coverage.settled(connection, job.name)
    for shard in looked:
        known = targets(connection, job.iso_code, tickers, shard.shard, session=sessions.FIRST_DAY)
        meta_ids = [target.meta_id for target in known]
        expected = expected_sessions(connection, job.exchange, shard.until)
        rows += coverage.coverage(connection, meta_ids, expected, since=shard.since)
        without_trade += coverage.days_without_trade(connection, meta_ids, shard.until)
    return JobCoverage(
        job=job.name,
        until=max((shard.until for shard in looked), default=None),
        tickers=len(rows),
        sessions=sum(one.sessions for one in rows),
        bars=sum(one.bars for one in rows),
        without_trade=without_trade,
        held=sum(one.held for one in rows),
        source_gaps=sum(one.source_gaps for one in rows),
        open_gaps=sum(one.open_gaps for one in rows),
        unexplained=sum(one.unexplained for one in rows),
        closures=len(overrides.silent_sessions(connection, job.exchange)),
        rows=rows,
    )
