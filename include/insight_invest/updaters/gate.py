"""What a price answer, and a whole run of them, must satisfy against what is stored (``checks/batch.py``)."""

import logging
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest import sessions
from include.insight_invest.checks.batch import BATCH_TICKERS, PRESENT_IN_MARKET, bad_batch, present_at_least
from include.insight_invest.errors import BatchRefused, StaleSource
from include.insight_invest.sources.base import Answer, State
from include.insight_invest.store import overrides, recent, universe
from include.insight_invest.updaters.progress import Run, repeatable

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


@repeatable
def refuse_bad_batch(run: Run, answer: Answer) -> None:
    """Raise BatchRefused where ``answer`` cannot be right as a whole."""
    days = _last_two(run, answer.until or run.end)
    if days is None:
        return
    eve, until = days
    stored = recent.eve_bars(run.connection, [target.meta_id for target in answer.asked], eve, until)
    if why := bad_batch(answer.bars, stored, eve_day=eve, until=until):
        raise BatchRefused(
            f"{answer.source}'s answer for {len(answer.asked)} tickers was refused, nothing of it was loaded: {why}. "
            "Run again when the source is whole"
        )


@repeatable
def refuse_short_listing(run: Run, codes: "pd.Series[str]", session: date) -> None:
    """Raise BatchRefused where the listing of ``session`` lacks too many tickers of the session before.

    ``codes`` are the tickers that it lists. For whoever takes more from a listing than bars, before anything is taken.
    """
    if (days := _last_two(run, session)) is None:
        return
    known = universe.targets(run.connection, run.job.iso_code, session=session)
    tickers = {target.meta_id: target.ticker for target in known}
    before = recent.eve_bars(run.connection, list(tickers), *days)["meta_id"].map(tickers)
    least = present_at_least(len(before))
    if len(before) >= BATCH_TICKERS and (listed := float(before.isin(codes).mean())) < least:
        raise BatchRefused(
            f"the listing of {session} was refused, nothing of it was loaded: it has {len(codes)} rows, and only "
            f"{listed:.0%} of the {len(before)} tickers of {days[0]}, at least {least:.0%} must be there. Run again "
            "when the source is whole"
        )


def note_refused(run: Run, answer: Answer, error: BatchRefused) -> None:
    """Account for an answer that was refused: its requests were sent, its tickers have failed."""
    log.error("%s", error)
    run.counts.requests += answer.requests
    for target in answer.asked:
        if run.outcomes.get(target.ticker, (None, None))[0] is not State.UPDATED:
            run.outcomes[target.ticker] = (State.FAILED, str(error))


@repeatable
def require_presence(run: Run) -> None:
    """Raise StaleSource where the last session lacks too many of the tickers that the one before has.

    None of them at all is another matter: the market was closed, or no source answered.
    """
    days = _last_two(run, run.end)
    if days is None:
        return
    eve, until = days
    targets = universe.targets(
        run.connection, run.job.iso_code, run.options.tickers, run.options.shard, session=run.end
    )
    there = recent.eve_bars(run.connection, [target.meta_id for target in targets], eve, until)["has_next"]
    if len(there) >= BATCH_TICKERS and 0 < there.mean() < PRESENT_IN_MARKET:
        raise StaleSource(
            f"only {there.sum()} of the {len(there)} tickers that have a bar of {eve} have one of {until}, at least "
            f"{PRESENT_IN_MARKET:.0%} must; what was loaded stays. Run again when the source is whole"
        )


def _last_two(run: Run, until: date) -> tuple[date, date] | None:
    """The last session up to ``until``, and the one before it that was no closure; None where the tables begin."""
    exchange, until = run.job.exchange, min(until, run.end)
    if until < sessions.FIRST_DAY:
        return None
    silent = overrides.silent_sessions(run.connection, exchange)
    days = sessions.sessions(exchange, sessions.back_or_first(exchange, until, 2 + len(silent)), until)
    before = [day for day in days[:-1] if day not in silent]
    return (before[-1], days[-1]) if before else None
