"""Ghost rows: of a day on which the market was closed, Yahoo may repeat the last closes, flat and without volume.

The same row is a bar where the market traded: of a halted share, or of one that nobody wanted. Which of the two it is,
the other tickers say. So the rows of a session of which a batch has nothing else wait until all batches have landed.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest import sessions
from include.insight_invest.sources.base import Answer
from include.insight_invest.store import inferred, overrides, recent
from include.insight_invest.store.overrides import SessionState
from include.insight_invest.store.recent import SAME_CLOSE, DayBars
from include.insight_invest.store.universe import targets
from include.insight_invest.updaters.expected import last_sessions
from include.insight_invest.updaters.progress import Run

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

# One or two shares without a bar, or without a trade, say nothing of the market.
FEWEST_TICKERS = 3


@dataclass(frozen=True)
class Silence:
    """A session of which no bar says that somebody traded, and the one before it, of which some do."""

    day: date
    before: date
    bars_before: int


def silences(window: Sequence[date], bars: Mapping[date, DayBars]) -> list[Silence]:
    """The sessions of ``window`` without a trade; the session before must have been a market's."""
    found: list[Silence] = []
    before: DayBars | None = None
    for day in window:
        if day in bars and bars[day].traded:
            before = bars[day]
        elif before and (count := before.stored + before.held) >= FEWEST_TICKERS:
            found.append(Silence(day, before.day, count))
    return found


class Ghosts:
    """The rows of a run's answers that may be ghosts, until it is known what they are."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._waiting: list[Answer] = []

    def without(self, answer: Answer) -> Answer:
        """``answer`` without its rows of the last sessions of which it only has repeats of the close before."""
        suspicious = self._suspicious(answer.bars)
        if not suspicious.any():
            return answer
        rows = answer.bars[suspicious]
        asked = [target for target in answer.asked if target.meta_id in set(rows["meta_id"])]
        rest = answer.actions.iloc[:0]
        self._waiting.append(replace(answer, bars=rows, actions=rest, asked=asked, problems={}, requests=0))
        return replace(answer, bars=answer.bars[~suspicious])

    def bars(self) -> Iterator[Answer]:
        """The rows of sessions on which somebody traded after all; those of the others are dropped."""
        import pandas as pd

        if not self._waiting:
            return
        run = self._run
        everybody = [target.meta_id for target in targets(run.connection, run.job.iso_code, session=sessions.FIRST_DAY)]
        window = _window(run)
        silent = [one.day for one in silences(window, recent.bars_per_day(run.connection, everybody, window))]
        for answer in self._waiting:
            ghosts = pd.to_datetime(answer.bars["trade_date"]).isin(pd.to_datetime(silent)).to_numpy()
            if ghosts.any():
                log.info("%d rows of %s are ghosts: flat, without volume, on a silent day", ghosts.sum(), answer.source)
            if not ghosts.all():
                yield replace(answer, bars=answer.bars[~ghosts])

    def _suspicious(self, bars: "pd.DataFrame") -> "pd.Series[bool]":
        """The rows of those of the last sessions of which every row is a flat, untraded repeat."""
        import pandas as pd

        day = pd.to_datetime(bars["trade_date"])
        prices = bars[["open", "high", "low"]]
        flat = (bars["volume"] == 0) & (prices.isna() | prices.eq(bars["close"], axis=0)).all(axis=1)
        recent_day = day.isin(pd.to_datetime(_window(self._run)[-self._run.settings.lookback_sessions :]))
        mine = recent_day & flat.groupby(day).transform("all")
        if not mine.any():
            return mine
        known = overrides.silent_sessions(self._run.connection, self._run.job.exchange, [SessionState.OPEN])
        mine &= ~day.isin(pd.to_datetime(list(known)))  # somebody, or a trade, has said that it was a session
        repeats = self._repeats(bars.assign(trade_date=day), mine)
        return mine & repeats.groupby(day).transform("all")

    def _repeats(self, bars: "pd.DataFrame", mine: "pd.Series[bool]") -> "pd.Series[bool]":
        """Whether each of ``mine`` has the close before it, of the answer or stored; where none is known, it has."""
        before = bars.sort_values("trade_date").groupby("meta_id")["close"].shift().reindex(bars.index)
        first = bars[mine & before.isna()]
        days = first["trade_date"].dt.date.tolist()
        bases = first["basis_date"].tolist()
        since = [_window(self._run)[0]] * len(first)
        stored = inferred.bars_before(self._run.connection, first["meta_id"].tolist(), days, since, bases)
        before.loc[first.index] = stored["stored_close"].to_numpy()
        return ~mine | before.isna() | ((bars["close"] - before).abs() <= SAME_CLOSE * before)


def _window(run: Run) -> list[date]:
    """Twice the sessions that each run reads again: of the older half, the one before the first silent one."""
    return last_sessions(run, 2 * run.settings.lookback_sessions)
