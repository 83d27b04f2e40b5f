"""Checks on a bar by itself, vectorised: each is a mask of bad rows and the sentence that says why."""

import math
from collections.abc import Callable, Iterable
from datetime import date

import numpy as np
import pandas as pd

from include.insight_invest.checks.verdict import PRICES, VALUES, Checked, Reasons, held_bars

# Yahoo's 32-bit floats put a close a hair over its high.
_FLOAT32 = 1e-6
# A US price's tick by SEC rule 612; KRX quotes whole won, and Naver restates in them: theirs is exact.
_TICK, _TICK_BELOW, _TICK_CHANGES_AT = 0.01, 0.0001, 1.0
_EXACT_CURRENCIES = ("KRW",)
# Yahoo's close is the auction's, its open, high and low are of the trades it saw: up to 3.7 % apart in the recorded
# tables (TENT-L); 20 % apart (CLC-L) one of the two is not of that session.
LARGEST_REPAIR = 0.05
_LARGEST_VOLUME = 1e15
_INFINITE = [math.inf, -math.inf]


def check_bars(bars: pd.DataFrame, currency: str = "USD") -> Checked:
    """Split ``bars`` (sources.base.BAR_COLUMNS, in ``currency``) into rows that can be stored and rows to hold back.

    A second row of the same ticker and day is dropped where it repeats the first. An open or close a little outside low
    and high costs the row the fields that cannot be (NaN in ``good``); its close stays.
    """
    if bars.empty:
        return Checked(bars, [])
    bars = bars.drop_duplicates(["meta_id", "trade_date", *VALUES])
    outside = pd.DataFrame({name: _outside(bars, name, currency) for name in ("open", "close")})
    reasons = Reasons(bars.index)
    for text, is_bad in _CHECKS:
        reasons.add(is_bad(bars), text)
    for name in ("open", "close"):
        reasons.add(outside[name] > LARGEST_REPAIR, f"{name} outside low and high")
    good, repaired = _repair(bars, outside.where(~reasons.bad, 0.0))
    return Checked(good[~reasons.bad], held_bars(bars, reasons), repaired=held_bars(bars, repaired))


def only_sessions(bars: pd.DataFrame, sessions: Iterable[date], first_known: date) -> pd.DataFrame:
    """The rows of ``bars`` that fall on one of ``sessions``; days before ``first_known`` only need to be weekdays.

    A live row, a weekend copy or a bar of a closed day is no row of a session and is left out, not held: it is not
    wrong, it is not a daily bar.
    """
    day = pd.to_datetime(bars["trade_date"])
    known = day.isin(pd.to_datetime(list(sessions)))
    before = (day < pd.Timestamp(first_known)) & (day.dt.dayofweek < 5)
    return bars[(known | before).to_numpy()]


def _outside(bars: pd.DataFrame, name: str, currency: str) -> "pd.Series[float]":
    """How far a field lies outside low and high, as a share of the bound; 0 within a tick, or without a bound."""
    low, high, value = bars["low"], bars["high"], bars[name]
    slack = pd.Series(0.0, index=bars.index)
    if currency not in _EXACT_CURRENCIES:
        slack = slack.mask(value >= _TICK_CHANGES_AT, _TICK).mask(value < _TICK_CHANGES_AT, _TICK_BELOW)
    beyond = pd.concat([low - value, value - high], axis=1).max(axis=1)
    bound = low.where(value < low, high)
    return (beyond / bound).where(beyond > np.maximum(slack, _FLOAT32 * bound.abs()) * (1 + _FLOAT32), 0.0)


def _repair(bars: pd.DataFrame, outside: pd.DataFrame) -> tuple[pd.DataFrame, Reasons]:
    """``bars`` without the fields that cannot be, and what was wrong: the close is a price that was paid."""
    close, opened = outside["close"] > 0, outside["open"] > 0
    reasons = Reasons(bars.index)
    reasons.add(close, "close a little outside low and high: stored without open, high and low")
    reasons.add(opened, "open a little outside low and high: stored without it")
    if not reasons.bad.any():
        return bars, reasons
    fields = {"open": bars["open"].mask(close | opened), **{name: bars[name].mask(close) for name in ("high", "low")}}
    return bars.assign(**fields), reasons


_CHECKS: tuple[tuple[str, Callable[[pd.DataFrame], "pd.Series[bool]"]], ...] = (
    ("two different rows for one day", lambda b: b.duplicated(["meta_id", "trade_date"], keep=False)),
    ("no close", lambda b: b["close"].isna()),
    ("a price that is not finite", lambda b: b[PRICES].isin(_INFINITE).any(axis=1)),
    ("a price that is not positive", lambda b: (b[PRICES] <= 0).any(axis=1)),
    ("low over high", lambda b: b["low"] * (1 - _FLOAT32) > b["high"]),
    ("a volume that is not finite", lambda b: b["volume"].isin(_INFINITE)),
    ("negative volume", lambda b: b["volume"] < 0),
    ("a volume that no market has", lambda b: b["volume"] > _LARGEST_VOLUME),
)
