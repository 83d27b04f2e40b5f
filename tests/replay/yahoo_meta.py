"""The meta block of a chart answer, as of the server's clock: nothing recorded later shows through."""

from datetime import datetime
from typing import Any

import numpy as np

from tests.replay.bars import Quotation, Venue

_VALID_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]
_YEAR = 365  # days
# What does not depend on the day of the recording.
_LASTING = (
    "currency",
    "exchangeName",
    "fullExchangeName",
    "instrumentType",
    "firstTradeDate",
    "exchangeTimezoneName",
    "longName",
    "shortName",
    "priceHint",
)


def describe(quotation: Quotation, symbol: str, first: int, closed: int, now: datetime, span: str) -> dict[str, Any]:
    """meta of an answer whose first bar is number ``first`` of the ``closed`` bars that there are at ``now``."""
    history, venue = quotation.history, quotation.history.venue
    local = now.astimezone(venue.zone)
    offset = local.utcoffset()
    assert offset is not None
    meta: dict[str, Any] = {"symbol": symbol, "priceHint": 2, "firstTradeDate": int(history.at[0])}
    meta |= {name: history.meta[name] for name in _LASTING if name in history.meta}
    meta |= {"hasPrePostMarketData": False, "gmtoffset": int(offset.total_seconds()), "timezone": local.tzname()}
    if closed:
        meta |= _last_trade(quotation, closed, now)
    if 0 < first <= closed:
        meta["chartPreviousClose"] = float(quotation.values["close"][first - 1])
    return meta | {
        "currentTradingPeriod": _trading_period(venue, now),
        "dataGranularity": "1d",
        "range": span,
        "validRanges": _VALID_RANGES,
    }


def _last_trade(quotation: Quotation, closed: int, now: datetime) -> dict[str, Any]:
    """The last closed session: its last trade is at its close."""
    history, values, last = quotation.history, quotation.values, closed - 1
    year = int(np.searchsorted(history.days, history.days[last] - _YEAR))
    numbers = {
        "regularMarketPrice": values["close"][last],
        "regularMarketDayHigh": values["high"][last],
        "regularMarketDayLow": values["low"][last],
        "regularMarketVolume": values["volume"][last],
        "fiftyTwoWeekHigh": np.fmax.reduce(values["high"][year:closed]),
        "fiftyTwoWeekLow": np.fmin.reduce(values["low"][year:closed]),
    }
    when = min(int(history.at[last]) + history.venue.seconds, int(now.timestamp()))
    known = {name: round(float(number), 4) for name, number in numbers.items() if np.isfinite(number)}
    return {"regularMarketTime": when} | known


def _trading_period(venue: Venue, now: datetime) -> dict[str, dict[str, Any]]:
    """The session of the venue's day at ``now``, without pre- and post-market."""
    start = venue.opening(venue.day(now.timestamp()))
    local = datetime.fromtimestamp(start, venue.zone)
    offset = local.utcoffset()
    assert offset is not None
    common = {"timezone": local.tzname(), "gmtoffset": int(offset.total_seconds())}
    end = start + venue.seconds
    spans = {"pre": (start, start), "regular": (start, end), "post": (end, end)}
    return {name: common | {"start": low, "end": high} for name, (low, high) in spans.items()}
