"""A scheduled run on a holiday: the last session was loaded, so only what is missing is asked for, and it says why."""

import logging
from collections.abc import Sequence
from datetime import date, timedelta

from include.insight_invest import sessions
from include.insight_invest.errors import SourceError
from include.insight_invest.sources.base import State
from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.store import coverage, overrides
from include.insight_invest.store.universe import Target, targets
from include.insight_invest.updaters.completeness import is_whole, settle
from include.insight_invest.updaters.landing import land_more, wanted_of
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.wording import count

log = logging.getLogger(__name__)


def spent_as_a_holiday(run: Run) -> bool:
    """Ask for what is missing, where the exchange did not trade since its last session, and a run has loaded that.

    What is missing are the tickers with open gaps, and those that no source has answered for. False where the whole
    session is still to be asked for.
    """
    closed = _holidays(run)
    if not closed:
        return False
    loaded = _loaded(run)
    if loaded is None or not loaded.answered:
        return False
    followed = _followed(run)
    new = [target for target in followed if target.ticker not in loaded.answered]
    left = [target for target in followed if target.gap_since or target in new]
    days = " and ".join(str(day) for day in closed)
    why = f"{run.job.exchange} did not trade on {days}"
    why += f": the last session, {run.session}, was loaded by run {loaded.run_id}"
    if not left:
        run.notes.append(f"{why}; nothing to do")
    elif new and run.job.iso_code == "KR":
        run.notes.append(f"{why}, but for {count(len(new), 'ticker')}")  # one request has them all
        return False
    else:
        run.notes.append(f"{why}; only {count(len(left), 'ticker')} with missing sessions, or not answered for")
        _ask(run, left)
    log.info("%s", run.notes[0])
    return True


@repeatable
def _loaded(run: Run) -> coverage.Loaded | None:
    return coverage.loaded_by(run.connection, run.job, run.options.shard, run.session, run.context.as_of)


@repeatable
def _followed(run: Run) -> list[Target]:
    return targets(run.connection, run.job.iso_code, (), run.options.shard, session=run.session)


@repeatable
def _holidays(run: Run) -> list[date]:
    """The weekdays since the run's session on which the exchange did not trade; none where the run asks for more."""
    if not is_whole(run) or run.options.full_refresh:
        return []
    exchange = run.job.exchange
    today = sessions.local_date(exchange, run.context.as_of - run.job.settles_after)
    days = [run.session + timedelta(days=n) for n in range(1, (today - run.session).days + 1)]
    holidays = [day for day in days if day.weekday() < 5 and not sessions.is_session(exchange, day)]
    if run.session in overrides.silent_sessions(run.connection, exchange):
        return []
    return holidays


def _ask(run: Run, left: Sequence[Target]) -> None:
    """Ask the source of US histories for ``left``; gaps of both countries are healed as on every day.

    A few tickers are no market: who fails is told, asked for again, and is no reason to fail.
    """
    if run.job.iso_code == "US":
        wanted = wanted_of(run, left)[: run.requests_left]
        try:
            land_more(run, Yahoo(run.settings, run.job.iso_code).prices(wanted))
        except SourceError as error:
            run.notes.append(f"Yahoo was asked for {count(len(wanted), 'ticker')}: {error}")
            log.warning("%s", run.notes[-1])
    settle(run)
    failed = [ticker for ticker, (state, _) in run.outcomes.items() if state in (State.FAILED, State.THROTTLED)]
    if failed:
        reasons = sorted({str(run.outcomes.pop(ticker)[1]) for ticker in failed})
        run.notes.append(f"{len(failed)} of them failed, and are asked for again: {reasons[0]}")
