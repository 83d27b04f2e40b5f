"""Whether the data is whole and fresh, check by check, and what to do where it is not. Reads only.

What one run can prove, its audit has proven; here is what no run sees: that there was none, that something waits too
long, that all of it together is too much.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from include.insight_invest.audit import broken, cover
from include.insight_invest.jobs import JOBS, Job, Kind
from include.insight_invest.limits import Limits
from include.insight_invest.runner import session_of
from include.insight_invest.store import coverage, disagreements, ledger, overrides, read
from include.insight_invest.store.database import Connection
from include.insight_invest.store.read import LedgerRow
from include.insight_invest.updaters.expected import expected_sessions
from include.insight_invest.wording import count

SHOWN = 5
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_STUCK_AFTER = 2  # time-outs of a job


@dataclass(frozen=True)
class Verdict:
    """What a check found: ``notes`` are as things are, ``findings`` say what is wrong and what to do."""

    notes: tuple[str, ...]
    findings: tuple[str, ...] = ()


Check = Callable[[Connection, datetime, Limits], Verdict]


def last_due(job: Job, now: datetime) -> datetime:
    """The newest instant of ``job``'s schedule whose data must have been there by ``now``."""
    first, last = (_DAYS.index(day) for day in job.schedule.split()[-1].split("-"))
    today = datetime.combine(now.astimezone(ZoneInfo(job.timezone)), job.at, ZoneInfo(job.timezone))
    instants = (today - timedelta(days=back) for back in range(8))
    return next(one for one in instants if first <= one.weekday() <= last and one + job.due_after <= now)


def freshness(connection: Connection, now: datetime, limits: Limits) -> Verdict:  # noqa: ARG001 (a Check)
    """Each market's newest settled session against its calendar and its job's schedule."""
    notes, findings = [], []
    begun = read.first_whole_runs(connection)
    for job in _started(connection):
        if job.name not in begun:
            notes.append(f"{job.name} has not run for its whole market yet")
            continue
        due = last_due(job, now)
        wanted = expected_sessions(connection, job.exchange, session_of(job, due))[-1]
        found = [one.until for one in coverage.settled(connection, job.name)]
        newest = min(found) if found else None
        notes.append(f"{job.name}: {newest or 'nothing'} is there, {wanted} was due")
        if newest is None and due < begun[job.name]:
            continue  # its first run may still be at work: nothing has been due of it
        if newest is None or newest < wanted:
            findings.append(
                f"{job.name} has {newest or 'no whole session'}, and since {due + job.due_after:%Y-%m-%d %H:%M %Z} "
                f"{wanted} was due. What is stored stays as it is. Look at the last runs of {job.dag_id} (paused? "
                "failed?) and run it again: it reads back as far as it has to"
            )
    return Verdict((*notes, *_never_run(connection)), tuple(findings))


def runs(connection: Connection, now: datetime, limits: Limits) -> Verdict:  # noqa: ARG001 (a Check)
    """How each job's newest run ended, in all its parts, and that none is stuck.

    Who has just failed is no finding yet: Airflow tries again after the job's retry_delay.
    """
    notes, findings = [], []
    for shard, run in read.newest_parts(connection):
        job = JOBS[run.job]
        part = "" if shard == "1/1" else f" (part {shard})"
        told = f"run {run.run_id} of {run.job}{part}, of {run.session_date}, is {run.status}"
        notes.append(told)
        if run.status == "running":
            if now - run.started_at > _STUCK_AFTER * job.execution_timeout:
                findings.append(
                    f"{told} since {run.started_at:%Y-%m-%d %H:%M} UTC. What it committed stays. Run {job.dag_id} "
                    "again: it closes the row where the run has died, and says who holds the lease where it lives"
                )
        elif run.status != "succeeded" and now - _end(run) >= job.retry_delay:
            reason = f": {run.error.rstrip('.')}" if run.error else ""
            findings.append(f"{told}{reason}. What it committed stays. Run {job.dag_id} again; its page has the triage")
    return Verdict((*notes, *_never_run(connection)), tuple(findings))


def gaps(connection: Connection, now: datetime, limits: Limits) -> Verdict:  # noqa: ARG001 (a Check)
    """What is missing of what the markets had."""
    notes, findings = [], []
    for job in _started(connection, Kind.PRICES):
        covered = cover(connection, job)
        notes.append(str(covered))
        if error := broken(covered):
            findings.append(f"{job.name}: {error}")
        percent = 100 * covered.open_gaps / covered.sessions if covered.sessions else 0
        if percent > limits.gap_percent:
            worst = sorted(covered.rows, key=lambda row: -row.open_gaps)[:SHOWN]
            named = ", ".join(f"{row.ticker} {row.open_gaps}" for row in worst if row.open_gaps)
            findings.append(
                f"{job.name}: {percent:.1f} % of the expected bars are missing, over {limits.gap_percent:g} % (most: "
                f"{named}). Every run asks for them again; if they stay, look at `coverage --market {job.iso_code}`, "
                f"and run the Dag backfill for {job.name} over those sessions"
            )
    return Verdict(tuple(notes), tuple(findings))


def closures(connection: Connection, now: datetime, limits: Limits) -> Verdict:
    """Sessions without a bar from any source, of which nobody has said whether the market was closed."""
    found = overrides.suspected(connection)
    notes = tuple(f"{one.exchange} was perhaps closed on {one.session_date}" for one in found)
    late = [one for one in found if now - one.observed_at > timedelta(days=limits.closure_days)]
    if not late:
        return Verdict(notes)
    named = ", ".join(f"{one.exchange} {one.session_date}" for one in late[:SHOWN])
    return Verdict(
        notes,
        (
            f"{count(len(late), 'suspected closure')} undecided for more than {count(limits.closure_days, 'day')}: "
            f"{named}. Nothing is expected of them meanwhile. Decide: `sessions close|open EXCHANGE DAY --note WHY`",
        ),
    )


def second_sources(connection: Connection, now: datetime, limits: Limits) -> Verdict:  # noqa: ARG001 (a Check)
    """Where the daily sample found that two sources differ, and still do."""
    found = disagreements.open_ones(connection)
    notes = (f"{count(len(found), 'disagreement')} with a second source",)
    if len(found) <= limits.disagreements:
        return Verdict(notes)
    named = ", ".join(f"{one.ticker} {one.trade_date} {one.field}" for one in found[:SHOWN])
    return Verdict(
        notes,
        (
            f"{len(found)} values of two sources differ, more than {limits.disagreements} (newest: {named}). Nothing "
            "was changed for it: the better source's is stored. Compare them by `disagreements`; where the stored "
            "ones are wrong, run the Dag backfill for those tickers and sessions",
        ),
    )


def quarantine(connection: Connection, now: datetime, limits: Limits) -> Verdict:
    """Rows that were held back, and how long they have waited for a decision."""
    notes = (f"{count(read.held_rows(connection), 'row')} held back",)
    waiting = read.held_before(connection, now - timedelta(days=limits.held_days), SHOWN)
    if waiting is None:
        return Verdict(notes)
    return Verdict(
        notes,
        (
            f"{count(waiting.rows, 'row')} held back for more than {count(limits.held_days, 'day')}, since "
            f"{waiting.oldest:%Y-%m-%d} (first: {', '.join(waiting.tickers)}). They are kept, and not in the prices. "
            "Decide: `quarantine list`, then `quarantine release|reject ID --note WHY`",
        ),
    )


def invariants(connection: Connection, now: datetime, limits: Limits) -> Verdict:  # noqa: ARG001 (a Check)
    """That ledger and data agree, over everything that is stored: an audit looks at its own run only."""
    found = {
        sentence: None for job in _started(connection) for sentence in ledger.broken_invariants(connection, job.name)
    }
    if not found:
        return Verdict(("ledger and data agree",))
    shown = "; ".join(list(found)[:SHOWN])
    return Verdict(
        (),
        (
            f"ledger and data are apart in {count(len(found), 'place')}: {shown}. Stop the updaters (pause their Dags) "
            "and find out who wrote past them before anything is loaded on top",
        ),
    )


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "freshness": freshness,
        "last_runs": runs,
        "gaps": gaps,
        "closures": closures,
        "second_sources": second_sources,
        "quarantine": quarantine,
        "invariants": invariants,
    }
)


def _end(run: LedgerRow) -> datetime:
    return run.started_at + timedelta(seconds=run.seconds or 0)


def _started(connection: Connection, kind: Kind | None = None) -> list[Job]:
    """The jobs that have run: of a market that this installation does not load, nothing is expected."""
    known = read.last_runs(connection)
    return [job for job in JOBS.values() if job.name in known and kind in (None, job.kind)]


def _never_run(connection: Connection) -> list[str]:
    known = read.last_runs(connection)
    return [f"{job.name} has never run; its Dag is {job.dag_id}" for job in JOBS.values() if job.name not in known]
