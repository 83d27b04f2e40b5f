"""A scheduled run on a holiday: the last session was loaded, so only what is missing is asked for, and it says why."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from include.insight_invest import sessions
from include.insight_invest.errors import SourceError
from include.insight_invest.jobs import Job
from include.insight_invest.sources.base import State
from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.store import coverage, overrides
from include.insight_invest.store.database import Connection
from include.insight_invest.store.universe import Target, targets
from include.insight_invest.updaters.completeness import settle
from include.insight_invest.updaters.landing import land_more, wanted_of
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.wording import count

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Holiday:
    """A run without a session of its own: ``why``, whom it still has to ask for, and who of these is ``new``."""

    why: str
    left: list[Target]
    new: list[Target]


def holiday(connection: Connection, job: Job, session: date, as_of: datetime, shard: tuple[int, int]) -> Holiday | None:
    """Whether the exchange did not trade since ``session``, and a whole run of ``shard`` has loaded that."""
    closed = _closed_days(connection, job, session, as_of)
    if not closed:
        return None
    loaded = coverage.loaded_by(connection, job, shard, session, as_of)
    if loaded is None or not loaded.answered:
        return None
    followed = targets(connection, job.iso_code, (), shard, session=session)
    new = [target for target in followed if target.ticker not in loaded.answered]
    days = " and ".join(str(day) for day in closed)
    why = f"{job.exchange} did not trade on {days}: the last session, {session}, was loaded by run {loaded.run_id}"
    return Holiday(why, [target for target in followed if target.gap_since or target in new], new)


def spent_as_a_holiday(run: Run) -> bool:
    """Ask for what is missing, where the exchange did not trade since its last session, and a run has loaded that.

    What is missing are the tickers with open gaps, and those that no source has answered for. False where the whole
    session is still to be asked for.
    """
    if not run.options.is_daily:
        return False
    found = _holiday_of(run)
    if found is None:
        return False
    if not found.left:
        run.notes.append(f"{found.why}; nothing to do")
    elif found.new and run.job.iso_code == "KR":
        run.notes.append(f"{found.why}, but for {count(len(found.new), 'ticker')}")  # one request has them all
        return False
    else:
        run.notes.append(
            f"{found.why}; only {count(len(found.left), 'ticker')} with missing sessions, or not answered for"
        )
        _ask(run, found.left)
    log.info("%s", run.notes[0])
    return True


@repeatable
def _holiday_of(run: Run) -> Holiday | None:
    return holiday(run.connection, run.job, run.session, run.context.as_of, run.options.shard)


def _closed_days(connection: Connection, job: Job, session: date, as_of: datetime) -> list[date]:
    """The weekdays since ``session`` on which the exchange did not trade; none where that is in doubt itself."""
    today = sessions.local_date(job.exchange, as_of - job.settles_after)
    days = [session + timedelta(days=n) for n in range(1, (today - session).days + 1)]
    closed = [day for day in days if day.weekday() < 5 and not sessions.is_session(job.exchange, day)]
    if session in overrides.silent_sessions(connection, job.exchange):
        return []
    return closed


def _ask(run: Run, left: Sequence[Target]) -> None:
    """Ask the source of US histories for ``left``; gaps of both countries are healed as on every day.

    A few tickers are no market: who fails is told, asked for again, and is no reason to fail.
    """
    if run.job.iso_code == "US":
        wanted = wanted_of(run, left)[: run.requests_left]
        try:
            land_more(run, Yahoo(run.settings, run.job.iso_code, run.turns).prices(wanted))
        except SourceError as error:
            run.notes.append(f"Yahoo was asked for {count(len(wanted), 'ticker')}: {error}")
            log.warning("%s", run.notes[-1])
    settle(run)
    failed = [ticker for ticker, (state, _) in run.outcomes.items() if state in (State.FAILED, State.THROTTLED)]
    if failed:
        reasons = sorted({str(run.outcomes.pop(ticker)[1]) for ticker in failed})
        run.notes.append(f"{len(failed)} of them failed, and are asked for again: {reasons[0]}")
