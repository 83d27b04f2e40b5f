"""Checks on a bar by itself, vectorised: each is a mask of bad rows and the sentence that says why."""

import math
from collections.abc import Callable, Iterable
from datetime import date

import numpy as np
import pandas as pd

from include.insight_invest.checks.verdict import (
    HUNDRED,
    PRICES,
    UNIT_TOLERANCE,
    VALUES,
    WILD,
    Checked,
    Reasons,
    held_bars,
    log,
)

# Yahoo's 32-bit floats put a close a hair over its high.
_FLOAT32 = 1e-6
# A US price's tick by SEC rule 612; KRX quotes whole won, and Naver restates in them: theirs is exact.
_TICK, _TICK_BELOW, _TICK_CHANGES_AT = 0.01, 0.0001, 1.0
_EXACT_CURRENCIES = ("KRW",)
# Yahoo's close is the auction's, its open, high and low are of the trades it saw: up to 3.7 % apart in the recorded
# tables (TENT-L); 20 % apart (CLC-L) one of the two is not of that session. Which, the sessions beside it tell: the
# close where it is no further than this from both of theirs.
LARGEST_REPAIR = 0.05
_LARGEST_VOLUME = 1e15
# Restated for every later split a price may be far from any that was paid; beyond these no double can be reckoned with.
_LEAST_PRICE, _LARGEST_PRICE = 1e-12, 1e15
_INFINITE = [math.inf, -math.inf]


def check_bars(bars: pd.DataFrame, currency: str = "USD", *, limited: bool = False) -> Checked:
    """Split ``bars`` (sources.base.BAR_COLUMNS, in ``currency``) into rows that can be stored and rows to hold back.

    A second row of the same ticker and day is dropped where it repeats the first, a row without a price or a trade is
    none. A row whose close can be believed loses the open, high and low that cannot be (NaN in ``good``).
    ``limited``: the exchange's own limits have judged how far they moved (in liquidation trading x10 in a session).
    """
    bars = bars[bars[PRICES].notna().any(axis=1) | (bars["volume"] > 0)]
    if bars.empty:
        return Checked(bars, [])
    bars = bars.drop_duplicates(["meta_id", "trade_date", *VALUES])
    reasons = Reasons(bars.index)
    for text, is_bad in _CHECKS:
        reasons.add(is_bad(bars), text)
    kept = bars[~reasons.bad]
    mend = _Mend(kept)
    if not limited:
        _drop_wild(mend)
    mend_off = _drop_beyond_close(mend, currency)
    reasons.add(pd.Series(bars.index.isin(mend_off), index=bars.index), "close outside low and high")
    mend.drop("open", _beyond(mend.values, mend.values["open"], currency).any(axis=1), "open outside low and high")
    good = kept.assign(**mend.values)
    return Checked(
        good.drop(index=mend_off), held_bars(bars, reasons), repaired=held_bars(kept, mend.reasons(except_for=mend_off))
    )


def only_sessions(bars: pd.DataFrame, sessions: Iterable[date], first_known: date) -> pd.DataFrame:
    """The rows of ``bars`` that fall on one of ``sessions``; days before ``first_known`` only need to be weekdays.

    A live row, a weekend copy or a bar of a closed day is no row of a session and is left out, not held: it is not
    wrong, it is not a daily bar.
    """
    day = pd.to_datetime(bars["trade_date"])
    known = day.isin(pd.to_datetime(list(sessions)))
    before = (day < pd.Timestamp(first_known)) & (day.dt.dayofweek < 5)
    return bars[(known | before).to_numpy()]


class _Mend:
    """The prices of rows on their way to those that can be: which fields were dropped, and why."""

    def __init__(self, bars: pd.DataFrame) -> None:
        self.bars = bars
        self.values = bars[PRICES].astype(float)
        self._why = Reasons(bars.index)

    def drop(self, name: str, rows: "pd.Series[bool]", why: str) -> None:
        """Without ``name`` in ``rows`` that have it."""
        rows = rows & self.values[name].notna()
        self.values[name] = self.values[name].mask(rows)
        self._why.add(rows, why)

    def reasons(self, except_for: pd.Index) -> Reasons:
        """Of each row that lost a field why, and which."""
        lost = self.values.isna() & self.bars[PRICES].notna()
        lost.loc[except_for] = False
        text = pd.Series("", index=lost.index, dtype=object)
        for name in PRICES:
            text = text.where(~lost[name], text.where(text == "", text + ", ") + name)
        reasons = Reasons(lost.index)
        reasons.add(lost.any(axis=1), self._why.text + ": stored without " + text)
        return reasons


def _drop_wild(mend: _Mend) -> None:
    """Without the open, high or low that is in another unit than the close, or that no session goes to."""
    opened, close = mend.values["open"], mend.values["close"]
    mend.drop(
        "open", (log(opened / close).abs() - HUNDRED).abs() < UNIT_TOLERANCE, "open a hundred times off the close"
    )
    body = mend.values[["open", "close"]]
    for name, side, beyond in (
        ("high", "over", log(mend.values["high"] / body.max(axis=1))),
        ("low", "under", log(body.min(axis=1) / mend.values["low"])),
    ):
        hundred = (beyond - HUNDRED).abs() < UNIT_TOLERANCE
        mend.drop(name, hundred, f"{name} a hundred times {side} open and close")
        mend.drop(name, beyond > WILD, f"{name} more than four times {side} open and close")


def _drop_beyond_close(mend: _Mend, currency: str) -> pd.Index:
    """Without the bound that the close is beyond; returns the rows whose close may be what is wrong."""
    close = mend.values["close"]
    beyond = _beyond(mend.values, close, currency)
    large = (beyond["low"] > LARGEST_REPAIR) | (beyond["high"] > LARGEST_REPAIR)
    fits = _fits(mend.bars)
    other = large & fits
    apart = (mend.values["open"] / close - 1).abs() > LARGEST_REPAIR
    mend.drop("open", other & apart, _OTHER_SESSION)
    for name in ("high", "low"):
        mend.drop(name, other, _OTHER_SESSION)
    mend.drop("high", (beyond["high"] > 0) & ~large, "close over high")
    mend.drop("low", (beyond["low"] > 0) & ~large, "close under low")
    return mend.values.index[large & ~fits]


def _fits(bars: pd.DataFrame) -> "pd.Series[bool]":
    """Whether a close is one of its neighbours': a session before and one after that stand where it does."""
    ordered = bars.sort_values(["meta_id", "trade_date"])
    close = ordered.groupby("meta_id")["close"]
    near = [(ordered["close"] / close.shift(step) - 1).abs() <= LARGEST_REPAIR for step in (1, -1)]
    fits: pd.Series[bool] = (near[0] & near[1]).reindex(bars.index)
    return fits


def _beyond(bounds: pd.DataFrame, value: "pd.Series[float]", currency: str) -> pd.DataFrame:
    """How far ``value`` lies under ``low`` and over ``high``, as a share of it; 0 within a tick, or without a bound."""
    slack = pd.Series(0.0, index=value.index)
    if currency not in _EXACT_CURRENCIES:
        slack = slack.mask(value >= _TICK_CHANGES_AT, _TICK).mask(value < _TICK_CHANGES_AT, _TICK_BELOW)
    off = {"low": bounds["low"] - value, "high": value - bounds["high"]}
    return pd.DataFrame(
        {
            name: (by / bounds[name]).where(by > np.maximum(slack, _FLOAT32 * bounds[name]) * (1 + _FLOAT32), 0.0)
            for name, by in off.items()
        }
    )


_OTHER_SESSION = "low and high of another session than the close"
_CHECKS: tuple[tuple[str, Callable[[pd.DataFrame], "pd.Series[bool]"]], ...] = (
    ("two different rows for one day", lambda b: b.duplicated(["meta_id", "trade_date"], keep=False)),
    ("no close", lambda b: b["close"].isna()),
    ("a price that is not finite", lambda b: b[PRICES].isin(_INFINITE).any(axis=1)),
    ("a price that is not positive", lambda b: (b[PRICES] <= 0).any(axis=1)),
    ("a price that no market has", lambda b: ((b[PRICES] < _LEAST_PRICE) | (b[PRICES] > _LARGEST_PRICE)).any(axis=1)),
    ("low over high", lambda b: b["low"] * (1 - _FLOAT32) > b["high"]),
    ("a volume that is not finite", lambda b: b["volume"].isin(_INFINITE)),
    ("negative volume", lambda b: b["volume"] < 0),
    ("a volume that no market has", lambda b: b["volume"] > _LARGEST_VOLUME),
)
