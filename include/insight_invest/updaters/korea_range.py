"""A past range of Korea: its listings one after the other, as daily runs read them, and Naver for what they lack.

Naver has a ticker's years in one request, but restated for every split since, with volumes as they were traded and
without a word on the splits. A listing is as traded, and shows where a base price was set anew. So listings are read
for a range of up to 60 sessions, and for a longer one that has no more sessions than tickers are asked for; a few
tickers over years are Naver's.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest import sessions
from include.insight_invest.errors import BatchRefused
from include.insight_invest.sources.base import Answer, State, Wanted, Window
from include.insight_invest.sources.naver import Naver
from include.insight_invest.store import overrides
from include.insight_invest.store.listed import is_recorded
from include.insight_invest.store.overrides import SessionState
from include.insight_invest.updaters.base_moves import explain_moves
from include.insight_invest.updaters.korea_listings import (
    define,
    snapshot_of,
    stocks_before,
    targets_on,
    watched,
)
from include.insight_invest.updaters.landing import FIRST_SESSION, Landing, require, targets_of
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.updaters.resuming import budget_spent, parts_landed, remember_parts
from include.insight_invest.wording import count

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

# A quarter: a minute of requests, and whoever asks for a few tickers around a split gets the split.
LISTED_SESSIONS = 60


@dataclass
class Walk(Landing):
    """A range at work: ``lost`` are the sessions whose listing could not be read."""

    lost: list[date] = field(default_factory=list)

    def landed(self, run: Run, answer: Answer) -> None:
        """Remember who need not be asked of Naver again; a listing is remembered with the evidence that it is."""
        if answer.source == Naver.name:
            problems = answer.problems
            asked = [target.ticker for target in answer.asked]
            remember_parts(run, [one for one in asked if one not in problems or problems[one][0] is State.EMPTY])


@repeatable
def range_sessions(run: Run) -> list[date]:
    """The sessions from ``--start`` to ``--end``; none of a run that is not over a range, or of the whole history."""
    start = run.options.start
    if start is None or run.options.full_refresh or start > run.end:
        return []
    closed = overrides.silent_sessions(run.connection, run.job.exchange, [SessionState.CLOSED])
    days = sessions.sessions(run.job.exchange, max(start, FIRST_SESSION), run.end)
    return [day for day in days if day not in closed]


def read_by_listing(run: Run, days: Sequence[date]) -> bool:
    """Whether the listings of ``days`` are read, and not each ticker's history."""
    return 0 < len(days) <= max(LISTED_SESSIONS, len(targets_of(run)))


def walk_listings(run: Run, days: Sequence[date]) -> Walk:
    """Land the listings of ``days``, but for those that an interrupted run has landed, and the splits that they show.

    Raises BudgetExceeded, after what it allowed has landed.
    """
    left = _left(run, days)
    walk = Walk()
    snapshot = snapshot_of(run)

    def wanted(day: date, listing: "pd.DataFrame") -> list[Wanted]:
        try:
            targets = define(run, listing, day)
        except BatchRefused as error:
            log.warning("%s", error)
            walk.refused.append(error)
            return []
        return [Wanted(target=target, window=Window(start=day, session=day)) for target in targets]

    asked: list[date] = []
    try:
        stocks = None
        if left and run.requests_left > 1 and _is_loaded(run, sessions.back(run.job.exchange, left[0], 1)):
            stocks = stocks_before(run, snapshot, left[0])
        asked = left[: run.requests_left - snapshot.requests]
        answers = watched(run, snapshot, snapshot.earlier_prices(asked, wanted), stocks, in_range=True)
        walk.land(run, answers, 0, rounds=len(asked))
    finally:
        run.counts.requests += snapshot.untold_requests()
    walk.lost = sorted(snapshot.lost)
    unasked = explain_moves(run, targets_on(run, days[0]))
    if len(left) > len(asked):
        raise budget_spent(run, f"{len(left) - len(asked):,} sessions' listings")
    if unasked:
        raise budget_spent(run, f"the base prices of {unasked:,} shares")
    return walk


def _left(run: Run, days: Sequence[date]) -> list[date]:
    """Those of ``days`` that no interrupted run with the same wish has landed."""
    landed = parts_landed(run)
    left = [day for day in days if str(day) not in landed]
    if len(left) < len(days):
        run.parts |= landed
        run.outcomes |= {target.ticker: (State.UNCHANGED, None) for target in targets_on(run, days[0])}
        run.notes.append(
            f"goes on where an interrupted run stopped: {len(days) - len(left)} of "
            f"{count(len(days), 'session')} landed already"
        )
    return left


def fill_from_naver(run: Run, walk: Walk) -> None:
    """Land the sessions that the listings lack from Naver's histories, one request a ticker. Raises BudgetExceeded."""
    lost = walk.lost
    targets = targets_on(run, lost[0])
    require(run, targets)
    window = Window(start=lost[0], session=lost[-1])
    wanted = [Wanted(target=one, window=window) for one in targets if one.ticker not in run.parts]
    before = dict(run.outcomes)
    answers = _only(Naver(run.settings, run.turns).prices(wanted[: run.requests_left]), lost)
    try:
        walk.land(run, answers, len(wanted))
    finally:
        # who was there in the listings has not ended without a bar because nothing was lost of it
        empty = [one for one, (state, _) in run.outcomes.items() if state is State.EMPTY and one in before]
        run.outcomes |= {one: before[one] for one in empty}
    note_restated(run, f"{count(len(lost), 'session')} from {lost[0]} to {lost[-1]} not in KRX's listings: they")


def end_walk(run: Run, walk: Walk) -> None:
    """Raise where a listing was refused or nobody was answered for; otherwise the range has been landed as a whole."""
    require(run, targets_on(run, run.options.start or run.end))
    walk.end(run)
    run.parts.clear()


def note_restated(run: Run, what: str) -> None:
    """Say what Naver's histories do not: ``what`` is what came from it."""
    if Naver.name in run.sources:
        run.notes.append(
            f"{what} came from Naver, in shares of today. Of splits that no listing has shown, tb_action has none and "
            "the volumes before them are as traded"
        )


def _only(answers: Iterator[Answer], days: Sequence[date]) -> Iterator[Answer]:
    """``answers`` without the sessions that a listing gave."""
    import pandas as pd

    for answer in answers:
        mine = answer.bars["trade_date"].isin(pd.to_datetime(list(days)))
        yield replace(answer, bars=answer.bars[mine])


@repeatable
def _is_loaded(run: Run, session: date) -> bool:
    return is_recorded(run.connection, run.job.iso_code, session)
