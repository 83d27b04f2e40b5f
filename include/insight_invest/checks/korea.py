"""What the rules of the Korea Exchange say of a bar: its tick, its limits, and when its base price was set anew.

A session's limits count from a share's base price: the close before, or what KRX makes of it when rights, new shares
or a consolidation come into force. KRX's listing gives it as Close - Changes.

Ticks: KRX, KOSPI Market Business Regulation, art. 31-2; since 2023-01-25 those of KOSDAQ and KONEX are the same.
Limits: KRX, "Price limit system": 30 % since 2015-06-15, 15 % from 1998-12-07 (KOSDAQ's 12 % until 2005-03-28 lie
within), KONEX 15 % since it opened in 2013; on the day of listing 60 to 400 % of the offering price since 2023-06-26.
What held before 1998-12-07 was narrower and is not judged.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from include.insight_invest.checks.verdict import Reasons, held_bars

type Floats = npt.NDArray[np.float64]

_TICKS: Final = np.array([1, 5, 10, 50, 100, 500, 1000], dtype=np.float64)
_BOUNDS: Final = np.array([2_000, 5_000, 20_000, 50_000, 200_000, 500_000], dtype=np.float64)
_BOUNDS_BEFORE: Final = np.array([1_000, 5_000, 10_000, 50_000, 100_000, 500_000], dtype=np.float64)
_BOUNDS_SINCE: Final = date(2023, 1, 25)

LIMIT, LIMIT_SINCE = 0.30, pd.Timestamp(2015, 6, 15)
LIMIT_BEFORE, LIMIT_BEFORE_SINCE = 0.15, pd.Timestamp(1998, 12, 7)
LIMIT_KONEX = 0.15
FIRST_DAY_LOW, FIRST_DAY_HIGH = 0.60, 4.00
# A share that is to be delisted trades seven sessions without limits, after a halt (KRX, liquidation trading): in
# January and February of 2023 and 2026 15 shares did, and they alone broke the limits, by up to -98 % and x300.
FREE_SESSIONS = 7

# Traded rows that repeat those of the session before: 0.12 % at most in 63 sessions of 2023 and 2026, all in a copy.
COPIED_SHARE = 0.5
# 26 base prices of the whole market in 33 sessions were not the close before; of another session nearly all are not.
MOVED_SHARE = 0.2
COPIED_NEEDS = 10  # of fewer shares than these one may repeat by chance

# Stocks moves by more than this in one share of fourteen a month (options, conversions) without a word on the price.
STOCKS_MOVED = 0.01

BEYOND = "a price beyond the day's limits, and no halt or listing before it"


def tick(price: npt.NDArray[np.floating[Any]], day: date) -> Floats:
    """The tick size at each ``price`` (won) on ``day``, in won."""
    bounds = _BOUNDS if day >= _BOUNDS_SINCE else _BOUNDS_BEFORE
    return _TICKS[np.searchsorted(bounds, price, side="right")]


def session_days(days: Sequence[date]) -> npt.NDArray[np.datetime64]:
    """``days`` as an array that the functions below look days up in."""
    return np.array(days, dtype="datetime64[D]")


def sessions_back(days: npt.NDArray[np.datetime64], of: "pd.Series[pd.Timestamp]", count: int) -> list[date]:
    """For each day in ``of`` the session ``count`` before it."""
    place = np.searchsorted(days, of.to_numpy("datetime64[D]")) - count
    back: list[date] = days[np.maximum(place, 0)].tolist()
    return back


def first_bars(bars: pd.DataFrame) -> pd.DataFrame:
    """The first bar of each ticker, without an order among them."""
    return bars.loc[bars.groupby("meta_id")["trade_date"].idxmin()]


def _is_first(bars: pd.DataFrame) -> "pd.Series[bool]":
    return pd.Series(bars.index.isin(first_bars(bars).index), bars.index)


def hold_beyond_limits(
    bars: pd.DataFrame,
    base: "pd.Series[float] | None",
    before: pd.DataFrame,
    days: npt.NDArray[np.datetime64],
    markets: Mapping[int, str | None],
    listed: Collection[int] = (),
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The ``bars`` (sources.base.BAR_COLUMNS) that their session's limits allowed, and the others for the quarantine.

    ``base`` is the price that the limits count from, aligned with ``bars``; where a source gives none it is the close
    of the session before. ``before``, by meta_id, is what is stored of the seven sessions before a ticker's first bar:
    stored_day, stored_close (in the bars' shares), halted_on. ``days`` are the exchange's sessions. ``listed`` are the
    meta_ids whose first bar is of the day on which they were listed, by what listings before it lacked: that nothing of
    a share is stored says only that nobody has loaded it.
    """
    number = pd.Series(np.searchsorted(days, bars["trade_date"].to_numpy("datetime64[D]")), bars.index)
    stored = before.reindex(bars["meta_id"]).set_axis(bars.index)
    judged = _close_before(bars, number, stored, days)
    if base is not None:
        judged = base.reindex(bars.index).where(lambda price: price > 0).fillna(judged)
    wrong = _beyond_limits(
        bars,
        judged.where(judged > 0),
        konex=bars["meta_id"].map(markets) == "KONEX",
        first=stored["stored_day"].isna() & bars["meta_id"].isin(list(listed)) & _is_first(bars),
    )
    reasons = Reasons(bars.index)
    reasons.add(wrong & ~_after_a_halt(bars, number, stored, days), BEYOND)
    return bars[~reasons.bad], held_bars(bars, reasons)


def _beyond_limits(
    bars: pd.DataFrame, base: "pd.Series[float]", konex: "pd.Series[bool]", first: "pd.Series[bool]"
) -> "pd.Series[bool]":
    """Which have a price that ``base`` (NaN: not judged) did not allow, by more than a tick: history is in whole won.

    Of a share that is listed today, ``first``, KRX gives the offering price as the base.
    """
    day = bars["trade_date"]
    limit = pd.Series(np.nan, index=bars.index).mask(day >= LIMIT_BEFORE_SINCE, LIMIT_BEFORE)
    limit = limit.mask(day >= LIMIT_SINCE, LIMIT).mask(konex & limit.notna(), LIMIT_KONEX)
    highest = (base * (1 + limit)).mask(first, base * FIRST_DAY_HIGH)
    lowest = (base * (1 - limit)).mask(first, base * FIRST_DAY_LOW)
    prices = bars[["open", "high", "low", "close"]]
    slack = tick(base.fillna(0).to_numpy(np.float64), _BOUNDS_SINCE)
    return (prices.max(axis=1) > highest + slack) | (prices.min(axis=1) < lowest - slack)


def _close_before(
    bars: pd.DataFrame, number: "pd.Series[int]", stored: pd.DataFrame, days: npt.NDArray[np.datetime64]
) -> "pd.Series[float]":
    """The close one session before each of ``bars``, in the answer or stored; NaN where there is none."""
    ordered = bars.assign(number=number).sort_values(["meta_id", "number"])
    shifted = ordered.groupby("meta_id")[["close", "number"]].shift()
    close = shifted["close"].where(shifted["number"] == ordered["number"] - 1)
    eve = days[np.maximum(number.to_numpy() - 1, 0)]
    known = stored["stored_close"].where(stored["stored_day"] == eve)
    return close.where(shifted["number"].notna(), known).reindex(bars.index)


def _after_a_halt(
    bars: pd.DataFrame, number: "pd.Series[int]", stored: pd.DataFrame, days: npt.NDArray[np.datetime64]
) -> "pd.Series[bool]":
    """Which follow within seven sessions a session without a trade, and so may be of liquidation trading."""
    halted = np.searchsorted(days, stored["halted_on"].to_numpy("datetime64[D]"))
    known = pd.Series(halted, bars.index, dtype=float).where(stored["halted_on"].notna())
    ordered = bars.assign(number=number, halt=number.where(bars["volume"] == 0)).sort_values(["meta_id", "number"])
    last = ordered.groupby("meta_id")["halt"].ffill().groupby(ordered["meta_id"]).shift()
    return (ordered["number"] - last.fillna(known) <= FREE_SESSIONS).reindex(bars.index)


def copied_share(bars: pd.DataFrame, before: pd.DataFrame) -> float:
    """Of the traded ``bars`` of a session the share that equals the stored one ``before`` it, to the volume.

    ``before`` (open, high, low, close, volume) is aligned with ``bars``. 0 where fewer than ten traded in both.
    """
    values = ["open", "high", "low", "close", "volume"]
    both = (bars["volume"] > 0) & before["close"].notna()
    if both.sum() < COPIED_NEEDS:
        return 0.0
    return float(
        (bars.loc[both, values].to_numpy(float) == before.loc[both, values].to_numpy(float)).all(axis=1).mean()
    )


def base_moves(quotes: pd.DataFrame, before: pd.DataFrame, eve: date) -> pd.DataFrame:
    """The ``quotes`` of a session whose base price is not the close before, beyond KRX's rounding to a tick.

    ``quotes`` (meta_id, trade_date, close, base, stocks, stocks_before) and ``before`` (stored_day, stored_close and
    stored_error, in the session's shares) are aligned. ``eve`` is the session before: where the stored bar is older, or
    KRX left the base price alone although the number of shares moved, only a price beyond the limits tells.
    """
    if quotes.empty:
        return quotes.assign(stored_close=[])
    day = quotes["trade_date"].iloc[0].date()
    stored, base = before["stored_close"], quotes["base"]
    rounding = tick(base.fillna(0).to_numpy(float), day) + before["stored_error"]
    moved = ((base - stored).abs() >= rounding).where(before["stored_day"] == pd.Timestamp(eve), _far(base, stored))
    shares = quotes["stocks"] / quotes["stocks_before"] - 1
    opposite = (shares * (quotes["close"] - stored) < 0) & _far(quotes["close"], stored)
    found = quotes.assign(stored_close=stored)
    wanted = (moved | (opposite & (shares.abs() > STOCKS_MOVED))) & stored.notna() & (base > 0)
    moves: pd.DataFrame = found[wanted]
    return moves


def _far(price: "pd.Series[float]", stored: "pd.Series[float]") -> "pd.Series[bool]":
    return (price / stored - 1).abs() > LIMIT
