"""Korea's daily price limits, put to an answer before it is loaded (``checks/korea.py``)."""

from functools import cache
from typing import TYPE_CHECKING, Any

from include.insight_invest import sessions
from include.insight_invest.checks.korea import (
    FREE_SESSIONS,
    first_bars,
    hold_beyond_limits,
    session_days,
    sessions_back,
)
from include.insight_invest.sources.base import Answer
from include.insight_invest.store.inferred import bars_before
from include.insight_invest.store.listed import newly_listed
from include.insight_invest.updaters.progress import Run

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


def within_limits(run: Run, answer: Answer, bars: "pd.DataFrame") -> "tuple[pd.DataFrame, list[dict[str, Any]]]":
    """The ``bars`` of ``answer`` that their session's limits allowed, and the others as rows for the quarantine."""
    if bars.empty:
        return bars, []
    days = _days(run.job.exchange)
    first = first_bars(bars)
    meta_ids, on = first["meta_id"].tolist(), first["trade_date"].dt.date.tolist()
    since = sessions_back(days, first["trade_date"], FREE_SESSIONS)
    bases = first["basis_date"].dt.date.tolist()
    before = bars_before(run.connection, meta_ids, on, since, bases).set_axis(first["meta_id"])
    markets = {target.meta_id: target.market for target in answer.asked}
    listed = newly_listed(run.connection, meta_ids, on, since)
    return hold_beyond_limits(bars, answer.base, before, days, markets, listed)


@cache
def _days(exchange: str) -> "npt.NDArray[np.datetime64]":
    return session_days(sessions.sessions(exchange, sessions.FIRST_DAY, sessions.LAST_DAY))
