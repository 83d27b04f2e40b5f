"""Row checks on bars, vectorised: each is a mask of bad rows and the sentence that says why."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

# Yahoo's 32-bit floats put a close a hair over its high.
_TICK = 1e-6
_LARGEST_VOLUME = 1e15
_INFINITE = [math.inf, -math.inf]


@dataclass(frozen=True)
class Checked:
    """``good`` rows, in the shape they came in, and ``held`` rows (meta_id, ticker, trade_date, reason, payload)."""

    good: pd.DataFrame
    held: list[dict[str, Any]]


def check_bars(bars: pd.DataFrame) -> Checked:
    """Split ``bars`` (sources.base.BAR_COLUMNS) into rows that can be stored and rows to hold back.

    A second row of the same ticker and day is dropped where it repeats the first.
    """
    if bars.empty:
        return Checked(bars, [])
    bars = bars.drop_duplicates(["meta_id", "trade_date", "open", "high", "low", "close", "volume"])
    reason = pd.Series("", index=bars.index)
    for text, is_bad in _CHECKS:
        mask = is_bad(bars) & (reason == "")
        reason[mask] = text
    bad = reason != ""
    return Checked(bars[~bad], _held(bars[bad], reason[bad]))


def only_sessions(bars: pd.DataFrame, sessions: Iterable[date], first_known: date) -> pd.DataFrame:
    """The rows of ``bars`` that fall on one of ``sessions``; days before ``first_known`` only need to be weekdays.

    A live row, a weekend copy or a bar of a closed day is no row of a session and is left out, not held: it is not
    wrong, it is not a daily bar.
    """
    day = pd.to_datetime(bars["trade_date"])
    known = day.isin(pd.to_datetime(list(sessions)))
    before = (day < pd.Timestamp(first_known)) & (day.dt.dayofweek < 5)
    return bars[(known | before).to_numpy()]


def _held(bars: pd.DataFrame, reason: pd.Series) -> list[dict[str, Any]]:
    columns = ["open", "high", "low", "close", "volume"]
    payload = bars[columns].to_dict("records")
    keys = zip(
        bars["meta_id"], bars["ticker"], pd.to_datetime(bars["trade_date"]).dt.date, bars["basis_date"], strict=True
    )
    return [
        {
            "meta_id": int(meta_id),
            "ticker": ticker,
            "trade_date": day,
            "reason": why,
            "payload": {**{str(k): _plain(v) for k, v in row.items()}, "basis_date": str(pd.Timestamp(basis).date())},
        }
        for (meta_id, ticker, day, basis), why, row in zip(keys, reason, payload, strict=True)
    ]


def _plain(value: object) -> object:
    """``value`` as JSON can hold it."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)


def _low(bars: pd.DataFrame) -> "pd.Series[float]":
    return bars["low"] * (1 - _TICK)


def _high(bars: pd.DataFrame) -> "pd.Series[float]":
    return bars["high"] * (1 + _TICK)


_CHECKS: tuple[tuple[str, Callable[[pd.DataFrame], "pd.Series[bool]"]], ...] = (
    ("two different rows for one day", lambda b: b.duplicated(["meta_id", "trade_date"], keep=False)),
    ("no close", lambda b: b["close"].isna()),
    ("a price that is not finite", lambda b: b[["open", "high", "low", "close"]].isin(_INFINITE).any(axis=1)),
    ("a price that is not positive", lambda b: (b[["open", "high", "low", "close"]] <= 0).any(axis=1)),
    ("low over high", lambda b: _low(b) > b["high"]),
    ("open outside low and high", lambda b: (b["open"] < _low(b)) | (b["open"] > _high(b))),
    ("close outside low and high", lambda b: (b["close"] < _low(b)) | (b["close"] > _high(b))),
    ("a volume that is not finite", lambda b: b["volume"].isin(_INFINITE)),
    ("negative volume", lambda b: b["volume"] < 0),
    ("a volume that no market has", lambda b: b["volume"] > _LARGEST_VOLUME),
)
