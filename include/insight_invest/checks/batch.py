"""Batch checks: what a whole answer must satisfy against what is stored. Of one that does not, nothing is loaded.

Measured on KRX's listings (marcap, 63 sessions of 2023 and 2026; fdr_krx_data_cache, March 2026): of the shares of one
session at least 99.8 % are in the listing of the next; at most 0.12 % repeat their open, high, low, close and volume.
"""

from datetime import date

import numpy as np
import pandas as pd

# Fewer tickers than this say nothing of their source: some do not trade every day.
BATCH_TICKERS = 10
# From here on an answer is a market, of which next to nothing is ever missing; 25 tickers of one batch may be warrants.
MARKET_TICKERS = 100
PRESENT_IN_BATCH = 0.5
PRESENT_IN_MARKET = 0.8  # also of a whole run
IDENTICAL = 0.5
# Yahoo sends 32-bit floats: half a unit in the last place is 6e-8.
SAME = 3e-7

_PRICES = ["open", "high", "low", "close"]


def bad_batch(bars: pd.DataFrame, eve: pd.DataFrame, *, eve_day: date, until: date) -> str | None:
    """Why an answer cannot be right, as a sentence; None where nothing speaks against it.

    ``bars`` (sources.base.BAR_COLUMNS) is the answer, ``until`` the last session that was asked for. ``eve`` is what is
    stored of the tickers asked for of ``eve_day``, the session before it: meta_id, open, high, low, close, volume,
    has_next (whether ``until`` is stored already). An answer that only lacks a session of which nothing is stored yet
    is no bad batch: the market was closed, or the source has not got so far.
    """
    if len(eve) < BATCH_TICKERS or bars.empty:
        return None
    day = pd.to_datetime(bars["trade_date"])
    day = day[day <= pd.Timestamp(until)]  # a live row of the day under way is none that was asked for
    if day.empty:
        return None
    last = bars.loc[day.index[day == pd.Timestamp(until)]]
    if last.empty:
        stored = until if eve["has_next"].mean() >= PRESENT_IN_BATCH else eve_day
        newest = day.max().date()
        return f"the answer shrank: its newest bar is of {newest}, stored is {stored}" if newest < stored else None
    present, least = float(eve["meta_id"].isin(last["meta_id"]).mean()), present_at_least(len(eve))
    if present < least:
        return (
            f"only {present:.0%} of the {len(eve)} tickers that had a bar in the session before have one of {until}, "
            f"at least {least:.0%} must"
        )
    same = _identical(last, eve)
    if same > IDENTICAL:
        return f"{same:.0%} of its bars of {until} are copies of the session before, to the volume"
    return None


def present_at_least(tickers: int) -> float:
    """The share of ``tickers`` that had a bar in the session before which must be there."""
    return PRESENT_IN_MARKET if tickers >= MARKET_TICKERS else PRESENT_IN_BATCH


def _identical(last: pd.DataFrame, eve: pd.DataFrame) -> float:
    """The share of traded bars that repeat the session before; a value that the answer lacks repeats anything."""
    both = last.merge(eve, on="meta_id", suffixes=("", "_before"))
    both = both[both["volume"] > 0]
    if len(both) < BATCH_TICKERS:
        return 0.0
    now, before = (
        both[_PRICES].to_numpy(dtype=float),
        both[[f"{name}_before" for name in _PRICES]].to_numpy(dtype=float),
    )
    same = np.isnan(now) | (np.abs(now - before) <= SAME * np.abs(before))
    return float((same.all(axis=1) & (both["volume"] == both["volume_before"]).to_numpy()).mean())
