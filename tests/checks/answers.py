"""Answers and what is stored, as literal rows of one ticker."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from include.insight_invest.checks.answer import check_answer
from include.insight_invest.checks.verdict import KNOWN_ACTIONS, KNOWN_BARS, Checked, Known, typed
from include.insight_invest.sources.base import ACTION_COLUMNS, BAR_COLUMNS

Close = tuple[str, float]  # day, close
Action = tuple[str, str, float]  # ex_date, kind, value


def checked(
    closes: Sequence[Close],
    actions: Sequence[Action] = (),
    *,
    stored: Sequence[tuple[str, float, str]] = (),
    stored_actions: Sequence[tuple[str, str, float, str]] = (),
    currency: str = "USD",
    stored_currency: str = "USD",
    volume: float | None = None,
    basis: str | None = None,
) -> Checked:
    """Check ``closes`` (flat bars, quoted on ``basis`` or their last day; each its own volume) and ``actions``.

    ``stored``: (day, close, basis_date); ``stored_actions``: (ex_date, kind, value, basis_date).
    """
    basis = basis or closes[-1][0]
    volumes = [1000.0 + place if volume is None else volume for place in range(len(closes))]
    bars = pd.DataFrame(
        [
            (1, "IT", day, close, close, close, close, shares, basis)
            for (day, close), shares in zip(closes, volumes, strict=True)
        ],
        columns=list(BAR_COLUMNS),
    )
    events = pd.DataFrame([(1, "IT", *action, basis) for action in actions], columns=list(ACTION_COLUMNS))
    known = Known(
        typed(
            [
                (1, day, close, close, close, close, 5000.0 + place, quoted, stored_currency)
                for place, (day, close, quoted) in enumerate(stored)
            ],
            KNOWN_BARS,
        ),
        typed([(1, *action) for action in stored_actions], KNOWN_ACTIONS),
    )
    return check_answer(bars, events, known, currency=currency)


def held(result: Checked) -> list[tuple[str, str, str]]:
    """(day, kind, reason) of the held rows, in the order of their days."""
    return sorted((str(row["trade_date"]), row["kind"], row["reason"]) for row in result.held)


def proposals(result: Checked) -> list[tuple[str, Any]]:
    """(day, close or amount) of the proposals."""
    rows = [(str(row["trade_date"]), row["proposal"]) for row in result.held if row["proposal"]]
    return sorted((day, proposal.get("close", proposal.get("value"))) for day, proposal in rows)


def good(result: Checked) -> list[str]:
    """The days of the good bars."""
    return [str(day.date()) for day in result.good.sort_values("trade_date")["trade_date"]]
