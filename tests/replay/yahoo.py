"""Yahoo Finance as yfinance asks it: the cookie, the crumb, and v8/finance/chart."""

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from tests.replay import charts, dailies, korea
from tests.replay.bars import NEW_YORK, PRICES, SEOUL, Floats, Ints, Quotation, merge, quote
from tests.replay.data import Library
from tests.replay.faults import Fault
from tests.replay.messages import HTML, JSON, TEXT, Answer, Request
from tests.replay.yahoo_meta import describe

_CHART = "/v8/finance/chart/"
_ABSENT = "No data found, symbol may be delisted"
_COOKIE = "A3=d=replay; Expires=Fri, 01 Jan 2038 00:00:00 GMT; Domain=.yahoo.com; Path=/; Secure; HttpOnly"
_RANGE_DAYS = {"1mo": 31, "3mo": 92, "6mo": 183, "1y": 365, "2y": 730, "5y": 1826, "10y": 3652, "max": 36_525}
_RANGE_BARS = {"1d": 1, "5d": 5}


class Window(NamedTuple):
    """What of a quotation is served: bars first..last, and events from start to end (UTC seconds)."""

    first: int
    last: int  # exclusive
    start: int
    end: int


def respond(library: Library, now: datetime, request: Request, fault: Fault | None) -> Answer:
    """Answer any of Yahoo's hosts. Bar faults and EMPTY are made here, the others are the caller's."""
    if request.path.startswith(_CHART):
        return _chart(library, now, request, fault)
    if request.path == "/v1/test/getcrumb":
        return Answer.text("replay.crumb", TEXT)
    if request.host == "fc.yahoo.com":
        # it really is a 404, and it really sets the cookie
        return Answer(b"", HTML, 404, {"Set-Cookie": _COOKIE})
    if request.host in ("guce.yahoo.com", "consent.yahoo.com", "finance.yahoo.com"):
        return Answer.text("<html><body></body></html>", HTML)
    name = "quoteSummary" if "quoteSummary" in request.path else "finance"
    return _error(name, 404, "Not Found", "Quote not found for symbol: " + request.path.rpartition("/")[2])


def _chart(library: Library, now: datetime, request: Request, fault: Fault | None) -> Answer:
    symbol = request.path.removeprefix(_CHART).upper()
    if request.query.get("interval", "1d") != "1d":
        return _error("chart", 422, "Unprocessable Entity", "only daily bars are replayed")
    quotation = _quotation(library, symbol, now)
    if quotation is None:
        return _error("chart", 404, "Not Found", _ABSENT)
    closed = _closed(quotation, now)
    first_trade = quotation.history.meta.get("firstTradeDate") or int(quotation.history.at[0])
    if first_trade > now.timestamp():
        return _error("chart", 404, "Not Found", _ABSENT)
    window = _window(quotation, request.query, closed, now)
    if window.end < first_trade:
        problem = f"Data doesn't exist for startDate = {window.start}, endDate = {window.end}"
        return _error("chart", 400, "Bad Request", problem)
    if fault is Fault.EMPTY:
        window = window._replace(last=window.first)
    at, columns = _bars(quotation, window, closed, now, fault)
    result = {"meta": describe(quotation, symbol, window.first, closed, now, request.query.get("range", ""))}
    if len(at):
        result["timestamp"] = at.tolist()
    if events := _events(quotation, window, request.query.get("events", "")):
        result["events"] = events
    adjusted = columns.pop("adjclose", None)
    result["indicators"] = {
        "quote": [columns],
        "adjclose": [{} if adjusted is None else {"adjclose": adjusted}],
    }
    return Answer.text(json.dumps({"chart": {"result": [result], "error": None}}), JSON)


def _error(name: str, status: int, code: str, description: str) -> Answer:
    error = {"code": code, "description": description}
    return Answer.text(json.dumps({name: {"result": None, "error": error}}), JSON, status)


def _quotation(library: Library, symbol: str, now: datetime) -> Quotation | None:
    """``symbol`` as quoted on the venue's date at ``now``; None where no file knows it."""
    recordings = charts.recordings(library, symbol)
    seoul = SEOUL.day(now.timestamp())
    if symbol.endswith((".KS", ".KQ")):
        venue = SEOUL
        recordings += korea.yahoo_recordings(library, symbol, seoul)
    else:
        recordings += dailies.american(library, symbol, NEW_YORK.day(now.timestamp()))
        venue = charts.venue_of(recordings[0].meta) if recordings else NEW_YORK
    if not recordings:
        return None
    key = ("quotation", symbol, venue.day(now.timestamp()), *recordings)
    return library.once(key, lambda: quote(merge(venue, recordings), venue.day(now.timestamp())))


def last_session(library: Library, symbol: str, now: datetime) -> tuple[float, float, int] | None:
    """Close, close before and volume of the newest session that is over at ``now``; None where there is none."""
    quotation = _quotation(library, symbol, now)
    closed = _closed(quotation, now) if quotation else 0
    if quotation is None or closed < 2:
        return None
    close, volume = quotation.values["close"], quotation.values["volume"]
    return float(close[closed - 1]), float(close[closed - 2]), int(volume[closed - 1])


def _closed(quotation: Quotation, now: datetime) -> int:
    """How many bars, from the first, belong to sessions that are over at ``now``."""
    history = quotation.history
    return int(np.searchsorted(history.at, now.timestamp() - history.venue.seconds, side="right"))


def _window(quotation: Quotation, query: dict[str, str], closed: int, now: datetime) -> Window:
    at = quotation.history.at
    end = int(query.get("period2", now.timestamp()))
    span = query.get("range", "1mo")
    if "period1" in query:
        start = int(query["period1"])
    elif span in _RANGE_BARS:
        start = int(at[max(0, closed - _RANGE_BARS[span])]) if closed else end
    elif span == "ytd":
        zone = quotation.history.venue.zone
        start = int(datetime(now.astimezone(zone).year, 1, 1, tzinfo=zone).timestamp())
    else:
        start = int((now - timedelta(days=_RANGE_DAYS.get(span, 31))).timestamp())
    # Yahoo's period2 is inclusive: a recorded BTC-USD answer ends with the bar of exactly period2
    first, last = int(np.searchsorted(at, start)), min(closed, int(np.searchsorted(at, end, side="right")))
    return Window(first, max(first, last), start, end)


def _bars(
    quotation: Quotation, window: Window, closed: int, now: datetime, fault: Fault | None
) -> tuple[Ints, dict[str, list[Any]]]:
    """The window's time stamps and columns; no columns where there is no bar."""
    at = quotation.history.at[window.first : window.last]
    values = {name: column[window.first : window.last].copy() for name, column in quotation.values.items()}
    if fault is Fault.NULL_BARS and len(at):
        for name in (*PRICES, "adjclose"):
            values[name][-1] = np.nan
    if fault is Fault.REPEATED_BAR and len(at):
        at, values = _append(at, values, int(at[-1]) + quotation.history.venue.seconds, _row(values, -1))
    if fault is Fault.LIVE_BAR and closed:
        at, values = _append(at, values, int(now.timestamp()), _live(quotation, closed, now))
    if not len(at):
        return at, {}
    columns = {name: _floats(values[name]) for name in (*PRICES, "adjclose")}
    return at, columns | {"volume": _whole(values["volume"])}


def _live(quotation: Quotation, closed: int, now: datetime) -> dict[str, float]:
    """The day under way, with half its volume; without a bar of that day in the data, the last close, not traded."""
    history, today = quotation.history, quotation.history.venue.day(now.timestamp()).toordinal()
    if closed < len(history.days) and history.days[closed] == today:
        row = _row(quotation.values, closed)
        return row | {"volume": row["volume"] // 2}
    close = float(quotation.values["close"][closed - 1])
    return dict.fromkeys((*PRICES, "adjclose"), close) | {"volume": 0.0}


def _row(values: dict[str, Floats], position: int) -> dict[str, float]:
    return {name: float(column[position]) for name, column in values.items()}


def _append(at: Ints, values: dict[str, Floats], when: int, row: dict[str, float]) -> tuple[Ints, dict[str, Floats]]:
    return np.append(at, when), {name: np.append(column, row[name]) for name, column in values.items()}


def _floats(column: Floats) -> list[float | None]:
    numbers: list[float | None] = column.tolist()
    for absent in np.flatnonzero(np.isnan(column)):
        numbers[absent] = None
    return numbers


def _whole(column: Floats) -> list[int | None]:
    return [None if value is None else int(value) for value in _floats(column)]


def _events(quotation: Quotation, window: Window, wanted: str) -> dict[str, dict[str, Any]]:
    """The window's events, as Yahoo writes them; ``wanted`` is the request's list (div, split or splits)."""
    events: dict[str, dict[str, Any]] = {}
    if "div" in wanted:
        events["dividends"] = {
            str(dividend.at): {"amount": dividend.amount, "date": dividend.at} | dividend.extra
            for dividend in quotation.dividends
            if window.start <= dividend.at <= window.end
        }
    if "split" in wanted:
        events["splits"] = {
            str(split.at): {
                "date": split.at,
                "numerator": split.numerator,
                "denominator": split.denominator,
                "splitRatio": f"{split.numerator:g}:{split.denominator:g}",
            }
            for split in quotation.splits
            if window.start <= split.at <= window.end
        }
    return {name: found for name, found in events.items() if found}
