"""Runs a job: settings, lease, ledger, signals, report.

What happens before the ledger row is open is raised (UsageError, LeaseHeld, StoreError); what happens after it is in
the report, with its exit code, and in the ledger.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from functools import partial

import psycopg
from psycopg.pq import TransactionStatus

from include.insight_invest import clock, sessions
from include.insight_invest.asked import check_options, check_range, check_tickers
from include.insight_invest.audit import audit
from include.insight_invest.errors import (
    BatchRefused,
    BudgetExceeded,
    DatabaseAway,
    InsightError,
    LeaseHeld,
    SourceError,
    StoreError,
    Terminated,
    UsageError,
)
from include.insight_invest.jobs import Job, Kind
from include.insight_invest.log import redact
from include.insight_invest.report import SHOWN_PROBLEMS, Problem, Report, Rows, Status, count_states
from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import State
from include.insight_invest.stopping import sigterm_raises
from include.insight_invest.store import ledger
from include.insight_invest.store.backends import Backend, end_backend, require_primary
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.store.faults import first_line, remedy_of, store_error
from include.insight_invest.store.lease import lease
from include.insight_invest.store.link import Link, connect_patiently
from include.insight_invest.store.load import Change, LoadContext
from include.insight_invest.store.migrate import require_current
from include.insight_invest.store.turns import SharedTurns
from include.insight_invest.updaters.gate import require_presence
from include.insight_invest.updaters.progress import Progress, Run, RunOptions, log_progress
from include.insight_invest.wording import count

log = logging.getLogger(__name__)

__all__ = ["RunOptions", "audit", "run", "session_of", "settle_session"]

_TOLD = (UsageError, SourceError, BatchRefused, StoreError)
_COUNTED = (State.THROTTLED, State.FAILED)
# A run that is stopped has 30 s to live: it does not wait longer than this for a database to write its end into.
STOPPED_WAIT_SECONDS = 5


def run(
    job: Job,
    options: RunOptions,
    settings: Settings,
    *,
    progress: Progress | None = None,
    on_change: Callable[[Change], None] | None = None,
) -> Report:
    """Run ``job`` once and report. A dry run writes nothing and tells ``on_change`` every row it would have written.

    Raises ConfigurationError, UsageError, SchemaError, LeaseHeld or StoreError before anything was started.
    """
    settings.require(job.needs)
    started = clock.now()
    as_of, session = settle_session(job, options, started)
    log.info("%s starts: as of %s, session %s%s", job.name, as_of, session, " (dry run)" if options.dry_run else "")
    with connect_patiently(settings, application=f"insight-invest {job.name}") as connection:
        require_current(connection)
        check_tickers(connection, job, options.tickers)
        with (
            lease(connection, job.name, options.shard, wait=options.wait),
            _undone(connection, when=options.dry_run),
        ):
            started = clock.now()  # not while it waited for another
            ledger.close_lost(connection, job.name, options.shard, started)
            attempt = ledger.Attempt(
                job=job.name,
                shard=options.shard,
                trigger=options.trigger,
                as_of=as_of,
                session_date=session,
                started_at=started,
                options=_recorded(options),
            )
            context = LoadContext(ledger.open_run(connection, attempt), as_of, on_change)
            again = None if options.dry_run else partial(_reopened, job, options, settings, context.run_id)
            with Link(connection, settings, again) as link, SharedTurns(settings.database()) as turns:
                work = Run(
                    job=job,
                    options=options,
                    settings=settings,
                    link=link,
                    context=context,
                    session=session,
                    progress=progress or log_progress(job.name),
                    turns=turns,
                )
                report = _work(work, started)
    log.log(logging.INFO if report.exit_code == 0 else logging.ERROR, "%s", report.summary())
    return report


def settle_session(job: Job, options: RunOptions, now: datetime) -> tuple[datetime, date]:
    """At which instant a run looks at the world, and its session. Raises UsageError where it cannot."""
    as_of = options.as_of or now
    check_options(options, as_of, now)
    session = session_of(job, as_of)
    check_range(job, options, session)
    return as_of, session


def session_of(job: Job, as_of: datetime) -> date:
    """The market date of a run: the newest session that could be asked for at ``as_of``."""
    return sessions.last_closed(job.exchange, as_of - job.settles_after)


def _work(work: Run, started: datetime) -> Report:
    error: Exception | None = None
    status = Status.SUCCEEDED
    try:
        with sigterm_raises():
            _update(work)
        if over := _over_budget(work):
            error, status = over, Status.OVER_BUDGET
        elif work.job.kind is Kind.PRICES:
            require_presence(work)
    except Terminated as stopped:
        error, status = stopped, Status.TERMINATED
    except BudgetExceeded as spent:
        error, status = spent, Status.OVER_BUDGET
    except (DatabaseAway, LeaseHeld):
        raise  # the ledger cannot be reached, or another run has closed the row as lost: nothing more is written
    except Exception as failed:
        # Also what nobody foresaw: one job that fails does not stop another, and the ledger says why.
        # Of a wrong call, or a source or a server that refuses, where the code stood says nothing.
        log.exception("%s failed", work.job.name, exc_info=not (isinstance(failed, _TOLD) or remedy_of(failed)))
        if work.options.dry_run and work.link.is_lost:
            raise  # its one transaction has ended with the connection
        error, status = failed, Status.FAILED
        if isinstance(failed, psycopg.Error):
            error = store_error(failed, role=work.link.role, lost=work.link.is_lost)
    told = _told(error)
    _close(work, status, told)
    return _report(work, status, told, getattr(error, "exit_code", 1) if error else 0, started)


def _update(work: Run) -> None:
    if work.job.kind is not Kind.PRICES:
        _updater(work.job)(work)
        return
    from include.insight_invest.updaters.comparison import compare
    from include.insight_invest.updaters.completeness import is_whole, settle
    from include.insight_invest.updaters.holidays import spent_as_a_holiday

    if spent_as_a_holiday(work):
        return
    _updater(work.job)(work)
    settle(work)
    if is_whole(work):
        compare(work)


def _told(error: Exception | None) -> str | None:
    if error is None:
        return None
    return redact(str(error) if isinstance(error, InsightError) else f"{type(error).__name__}: {first_line(error)}")


def _updater(job: Job) -> Callable[[Run], None]:
    from include.insight_invest.updaters.korea import update_kr
    from include.insight_invest.updaters.macro import update_macro
    from include.insight_invest.updaters.us import update_us

    if job.kind is Kind.MACRO:
        return update_macro
    return {"US": update_us, "KR": update_kr}[job.iso_code]


def _over_budget(work: Run) -> BudgetExceeded | None:
    failed = sum(state in _COUNTED for state, _ in work.outcomes.values())
    budget = work.settings.failure_budget
    if failed <= budget * len(work.outcomes):
        return None
    return BudgetExceeded(
        f"{failed} of {count(len(work.outcomes), 'ticker')} failed, the budget is {budget:.0%}; what was loaded stays, "
        "the next run asks for the rest"
    )


def _close(work: Run, status: Status, error: str | None) -> None:
    """Close the ledger row; a run that was stopped within a transaction ends that with its connection first."""
    if status is Status.TERMINATED:
        work.link.hurry(STOPPED_WAIT_SECONDS)
    try:
        if not work.options.dry_run and work.link.connection.info.transaction_status is not TransactionStatus.IDLE:
            work.link.drop()
        work.again(lambda: _close_on(work.connection, work, status, error))
    except DatabaseAway as away:
        if status is not Status.TERMINATED:
            raise
        log.warning("%s", away)


@contextmanager
def _reopened(job: Job, options: RunOptions, settings: Settings, run_id: int, lost: Backend) -> Iterator[Connection]:
    """Another connection for run ``run_id``, with its lease. Raises LeaseHeld where another run took that over."""
    with connect(settings.database(), application=f"insight-invest {job.name}") as connection:
        require_current(connection)
        require_primary(connection)
        end_backend(connection, lost)
        with lease(connection, job.name, options.shard):
            ledger.version(connection, run_id)
            yield connection


def _close_on(connection: Connection, work: Run, status: Status, error: str | None) -> None:
    ledger.close_run(
        connection,
        work.context.run_id,
        status=status,
        finished_at=clock.now(),
        tickers=work.tickers,
        requests=work.counts.requests,
        error=error,
        notes=[redact(note) for note in work.notes],
    )


def _report(work: Run, status: Status, error: str | None, exit_code: int, started: datetime) -> Report:
    counts, options = work.counts, work.options
    problems = [
        Problem(ticker=ticker, state=state, reason=redact(reason or ""))
        for ticker, (state, reason) in sorted(work.outcomes.items())
        if state not in (State.UPDATED, State.UNCHANGED) and ticker not in work.told
    ]
    return Report(
        job=work.job.name,
        status=status,
        exit_code=exit_code,
        run_id=None if options.dry_run else work.context.run_id,
        dry_run=options.dry_run,
        as_of=work.context.as_of,
        session=work.session,
        source="+".join(work.sources) or None,
        tickers=count_states(work.outcomes),
        rows=Rows(new=counts.new, changed=counts.changed, unchanged=counts.unchanged, held_back=counts.held),
        actions_new=counts.actions_new,
        actions_changed=counts.actions_changed,
        requests=counts.requests,
        seconds=round((clock.now() - started).total_seconds(), 2),
        notes=[redact(note) for note in work.notes],
        problems=problems[:SHOWN_PROBLEMS],
        error=error,
    )


def _recorded(options: RunOptions) -> dict[str, object]:
    chosen = {
        "tickers": list(options.tickers) or None,
        "start": str(options.start) if options.start else None,
        "end": str(options.end) if options.end else None,
        "full_refresh": options.full_refresh or None,
    }
    return {name: value for name, value in chosen.items() if value}


@contextmanager
def _undone(connection: Connection, *, when: bool) -> Iterator[None]:
    """Do everything as always, and take it back at the end: how a dry run knows its exact difference."""
    with connection.transaction(force_rollback=True) if when else nullcontext():
        yield
