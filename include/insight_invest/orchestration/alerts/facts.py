"""What the ledger knows of a Dag's job, in sentences for a message."""

import logging
from collections.abc import Sequence
from datetime import UTC

from include.insight_invest.audit import cover
from include.insight_invest.errors import InsightError
from include.insight_invest.jobs import JOBS, Job, Kind
from include.insight_invest.settings import Settings
from include.insight_invest.store import ledger
from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import Finished
from include.insight_invest.store.read import LedgerRow, last_runs, reader

log = logging.getLogger(__name__)

SECONDS = 5  # a count of the market that takes longer is left out


def job_of(dag_id: str) -> Job | None:
    """The job that the Dag updates, where it is an updater."""
    return next((job for job in JOBS.values() if job.dag_id == dag_id), None)


def ledger_facts(settings: Settings, dag_id: str, trigger: str) -> list[str]:
    """Rows of the run that ``trigger`` started, or of the last one, and the market's coverage. Raises StoreError."""
    if (job := job_of(dag_id)) is None:
        return []
    with reader(settings.database(), application="insight-invest alerts", statement_seconds=SECONDS) as connection:
        facts = [_rows(connection, job, trigger)]
    if job.kind is Kind.PRICES:
        facts.append(_coverage(settings, job))
    return facts


def _rows(connection: Connection, job: Job, trigger: str) -> str:
    mine = ledger.finished_by(connection, job.name, trigger)
    if mine:
        states = ", ".join(f"part {run.shard} {run.status}" for run in mine)
        return f"Rows of this run: {_counts(mine)} ({states})."
    last = last_runs(connection).get(job.name)
    if last is None:
        return f"Rows: the ledger has no run of {job.name} yet."
    return (
        f"Rows of the last run (ledger {last.run_id}, {last.started_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, "
        f"{last.status}, session {last.session_date}): {_counts([last])}."
    )


def _counts(runs: Sequence[Finished] | Sequence[LedgerRow]) -> str:
    sums = ledger.rows_of(runs)
    return (
        f"{sums['new']:,} new, {sums['changed']:,} changed, {sums['unchanged']:,} unchanged, {sums['held']:,} held back"
    )


def _coverage(settings: Settings, job: Job) -> str:
    try:
        with reader(settings.database(), application="insight-invest alerts", statement_seconds=SECONDS) as connection:
            covered = cover(connection, job)
    except InsightError as error:
        log.warning("the market was not counted for an alert: %s", error)
        return "Coverage: not counted (`run_scheduled_job.py coverage` does)."
    return f"Coverage: {covered.share:.2%} of {covered}." if covered.sessions else "Coverage: nothing is expected yet."
