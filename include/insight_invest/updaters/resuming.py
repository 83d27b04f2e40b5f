"""What a run need not ask for: what an interrupted one has landed already, and a past that is stored and final.

A run over a range, or of the whole history, may take hours. Its ledger row names each ticker as soon as its batch is
committed; the next run with the same wish, which is the same job, shard, options and last session, does not ask for
them again, until one has finished: after that the same wish is a new one. Daily runs are short, and ask again.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from include.insight_invest import sessions
from include.insight_invest.errors import BudgetExceeded
from include.insight_invest.sources.base import State, Wanted
from include.insight_invest.store import ledger
from include.insight_invest.store.bars import final_bars
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.wording import count

log = logging.getLogger(__name__)

# After a week the interrupted run's answers are no longer those of today: sources correct what they said.
RESUMED_WITHIN = timedelta(days=7)


def is_backfill(run: Run) -> bool:
    """Whether the run is over a range or the whole history."""
    options = run.options
    return options.full_refresh or options.start is not None or options.end is not None


def left_to_ask[T](run: Run, wanted: Sequence[T], name: Callable[[T], str]) -> list[T]:
    """Those of ``wanted`` that no interrupted run with the same wish has landed; ``name`` is a ticker or a series.

    The others end as they ended there, and a note says how many they are.
    """
    if not is_backfill(run):
        return list(wanted)
    landed = ledger.landed_before(run.connection, run.context.run_id, run.end, run.context.as_of - RESUMED_WITHIN)
    done = [one for one in wanted if name(one) in landed]
    for one in done:
        state, reason, by = landed[name(one)]
        run.outcomes[name(one)] = (State.EMPTY, reason) if state == State.EMPTY else (State.UNCHANGED, f"run {by}")
    if done:
        run.notes.append(f"goes on where an interrupted run stopped: {len(done)} of {len(wanted)} were landed already")
        log.info("%s", run.notes[-1])
    return [one for one in wanted if name(one) not in landed]


@repeatable
def remember(run: Run, left: int, *, until: date | None = None) -> None:
    """Write how each ticker ended so far into the ledger; after its batch, so that it never says too much.

    ``until`` is the last day that the batch was asked for, None where that is the run's own: a ticker of which more is
    to come has not been landed yet. Raises BudgetExceeded where tickers are ``left`` and the run has sent its requests.
    """
    if is_backfill(run) and (until is None or until >= run.end):
        ledger.remember(run.connection, run.context.run_id, run.tickers, run.counts.requests)
    if left > 0 and run.requests_left == 0:
        raise budget_spent(run, f"{count(left, 'ticker')}")


def budget_spent(run: Run, what: str) -> BudgetExceeded:
    """The error of a run that has sent its requests and did not ask for ``what``."""
    then = "Run the same again: it goes on where this one stopped" if is_backfill(run) else "The next run asks for them"
    return BudgetExceeded(
        f"the budget of {run.settings.request_budget:,} requests (INSIGHT_REQUEST_BUDGET) is spent and {what} not "
        f"asked for; what was loaded stays. {then}"
    )


@repeatable
def parts_landed(run: Run) -> set[str]:
    """The parts of a run over listings, sessions and Naver's tickers, that interrupted ones with the same wish landed.

    Each of its sessions has every ticker, so that how the tickers ended does not tell how far it got.
    """
    return ledger.parts_before(run.connection, run.context.run_id, run.end, run.context.as_of - RESUMED_WITHIN)


@repeatable
def remember_parts(run: Run, parts: Iterable[str]) -> None:
    """Write into the ledger that ``parts`` have landed too; after their batch."""
    run.parts |= set(parts)
    ledger.remember(run.connection, run.context.run_id, run.tickers, run.counts.requests)


def without_final(run: Run, wanted: Sequence[Wanted]) -> list[Wanted]:
    """Those of ``wanted`` of which something in the window is missing or not final, the longest behind first.

    Only a run of the past leaves others out: one whose tickers have later sessions stored. Of such a window every bar
    was read twice, and its splits and dividends with it.
    """
    ordered = sorted(wanted, key=lambda one: one.target.stored_until or date.min)
    if is_backfill(run):
        return ordered
    past = [one for one in ordered if one.window.start and (one.target.stored_until or date.min) > one.window.session]
    if not past:
        return ordered
    start = max(one.window.start for one in past if one.window.start)
    past = [one for one in past if one.window.start == start]  # a wider window is asked for because of a gap
    days = sessions.sessions(run.job.exchange, start, run.end)
    meta_ids = [one.target.meta_id for one in past]
    final = final_bars(run.connection, meta_ids, days, source=run.job.sources[0])
    if final:
        run.notes.append(f"{count(len(final), 'ticker')} not asked for: {days[0]} to {days[-1]} is stored and final")
        log.info("%s", run.notes[-1])
    for one in past:
        if one.target.meta_id in final:
            run.outcomes[one.target.ticker] = (State.UNCHANGED, None)
    return [one for one in ordered if one.target.meta_id not in final]
