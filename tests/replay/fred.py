"""FRED's API as fredapi asks it: series, observations in real-time windows, vintage dates; XML, Chicago's clock.

https://fred.stlouisfed.org/docs/api/fred/series_observations.html; the error texts are FRED's own.
"""

import re
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple
from xml.sax.saxutils import quoteattr
from zoneinfo import ZoneInfo

from tests.replay import vintages
from tests.replay.data import Library
from tests.replay.messages import XML, Answer, Request
from tests.replay.vintages import FOREVER, Release, Series

_CHICAGO = ZoneInfo("America/Chicago")
_EARLIEST = "1776-07-04"
_FIRST_OBSERVATION = "1600-01-01"
_MOST_ROWS = 100_000
_MOST_DATES = 10_000
_MOST_VINTAGES = 2_000
_KEY = re.compile(r"[0-9a-z]{32}")
_READ = "Read https://fred.stlouisfed.org/docs/api/api_key.html for more information."
_FREQUENCIES = (
    (2, "Daily", "D"),
    (8, "Weekly", "W"),
    (32, "Monthly", "M"),
    (93, "Quarterly", "Q"),
    (367, "Annual", "A"),
)
_DESCRIPTION = {
    "units": "Units",
    "units_short": "Units",
    "seasonal_adjustment": "Not Seasonally Adjusted",
    "seasonal_adjustment_short": "NSA",
    "popularity": "1",
}


class BadRequestError(Exception):
    """FRED's 400; the text is the message after "Bad Request."."""


class Window(NamedTuple):
    """A real-time window, both days inclusive."""

    start: str
    end: str


def respond(library: Library, now: datetime, request: Request) -> Answer:
    """Answer api.stlouisfed.org/fred/…"""
    today = str(now.astimezone(_CHICAGO).date())
    try:
        return _answer(library, today, request)
    except BadRequestError as problem:
        message = quoteattr(f"Bad Request.  {problem}")
        return Answer.text(
            f'<?xml version="1.0" encoding="utf-8" ?>\n<error code="400" message={message} />\n', XML, 400
        )


def _answer(library: Library, today: str, request: Request) -> Answer:
    parts = {"/fred/series": _series, "/fred/series/observations": _observations, "/fred/series/vintagedates": _dates}
    part = parts.get(request.path)
    if part is None:
        return Answer.text(
            '<?xml version="1.0" encoding="utf-8" ?>\n<error code="404" message="Not Found" />\n', XML, 404
        )
    _check_key(request.query)
    series_id = request.query.get("series_id")
    if not series_id:
        raise BadRequestError("Variable series_id is not set.")
    series = vintages.load(library, series_id, today)
    if series is None:
        raise BadRequestError("The series does not exist.")
    return part(series, today, request.query)


def _check_key(query: dict[str, str]) -> None:
    key = query.get("api_key")
    if not key:
        raise BadRequestError(f"Variable api_key is not set.  {_READ}")
    if not _KEY.fullmatch(key):
        raise BadRequestError(
            f"The value for variable api_key is not a 32 character alpha-numeric lower-case string.  {_READ}"
        )


def _series(series: Series, today: str, query: dict[str, str]) -> Answer:
    window = _window(query, today, today, today)
    current = _in_window(series.releases, window)
    title = {"title": series.id, **_frequency(current), **_DESCRIPTION, "notes": ""} | series.info
    released = max((day for day in series.vintages if day <= window.end), default=series.vintages[0])
    recorded = title.get("last_updated", FOREVER)
    attributes = title | {
        "id": series.id,
        "realtime_start": window.start,
        "realtime_end": window.end,
        "observation_start": min((row.date for row in current if row.value != "."), default=""),
        "observation_end": max((row.date for row in current), default=""),
        "last_updated": recorded if recorded[:10] <= today else f"{released} 07:45:01-06",
    }
    return _document(
        "seriess", {"realtime_start": window.start, "realtime_end": window.end}, [_element("series", attributes)]
    )


def _frequency(rows: list[Release]) -> dict[str, str]:
    days = [date.fromisoformat(row.date) for row in rows[-20:]]
    gaps = sorted((later - earlier).days for earlier, later in pairwise(days))
    gap = gaps[len(gaps) // 2] if gaps else 1
    long, short = next(((long, short) for most, long, short in _FREQUENCIES if gap <= most), ("Annual", "A"))
    return {"frequency": long, "frequency_short": short}


def _observations(series: Series, today: str, query: dict[str, str]) -> Answer:
    asked = sorted(query["vintage_dates"].split(",")) if query.get("vintage_dates") else []
    window = _window(query, today, asked[0] if asked else today, asked[-1] if asked else today)
    inside = [day for day in series.vintages if window.start <= day <= window.end]
    if len(inside) > _MOST_VINTAGES:
        raise BadRequestError(
            f"There are {len(inside)} vintage dates in the specified real-time period: {window.start} to {window.end}."
            f"  This exceeds the maximum number of vintage dates allowed for this file type ({_MOST_VINTAGES})."
        )
    if window.end < series.vintages[0]:
        raise BadRequestError("The series does not exist in ALFRED but may exist in FRED.")
    first, last = query.get("observation_start", _FIRST_OBSERVATION), query.get("observation_end", FOREVER)
    rows = [row for row in _in_window(series.releases, window) if first <= row.date <= last]
    if asked:
        rows = [row for row in rows if any(row.start <= day <= row.end for day in asked)]
    if query.get("output_type") == "4":
        rows = _initial(rows, series.releases)
    head = {
        "realtime_start": window.start,
        "realtime_end": window.end,
        "observation_start": first,
        "observation_end": last,
        "units": "lin",
        "output_type": query.get("output_type", "1"),
        "file_type": "xml",
        "order_by": "observation_date",
    }
    page, paging = _page(rows, query, _MOST_ROWS)
    elements = [
        f'  <observation realtime_start="{start}" realtime_end="{end}" date="{day}" value="{value}"/>\n'
        for day, start, end, value in page
    ]
    return _document("observations", head | paging, elements)


def _dates(series: Series, today: str, query: dict[str, str]) -> Answer:
    window = _window(query, today, _EARLIEST, FOREVER)
    days = [day for day in series.vintages if window.start <= day <= window.end]
    page, paging = _page(days, query, _MOST_DATES)
    head = {"realtime_start": window.start, "realtime_end": window.end, "order_by": "vintage_date"}
    return _document("vintage_dates", head | paging, [f"  <vintage_date>{day}</vintage_date>\n" for day in page])


def _window(query: dict[str, str], today: str, start: str, end: str) -> Window:
    """The request's real-time window; ``start`` and ``end`` are what it defaults to."""
    window = Window(query.get("realtime_start", start), query.get("realtime_end", end))
    for name, day in zip(("realtime_start", "realtime_end"), window, strict=True):
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
            raise BadRequestError(f"Variable {name} is not a YYYY-MM-DD formatted date (e.g. 2000-02-24).")
        if today < day != FOREVER:
            raise BadRequestError(
                f"Variable {name} can not be after today's date ({today}) "
                f"unless it's equal to the real-time max date {FOREVER}."
            )
    if window.start > window.end:
        raise BadRequestError("Variable realtime_start can not be after realtime_end.")
    return window


def _in_window(releases: tuple[Release, ...], window: Window) -> list[Release]:
    """The releases that were current on some day of ``window``, their days cut to it."""
    return [
        Release(day, max(start, window.start), min(end, window.end), value)
        for day, start, end, value in releases
        if start <= window.end and end >= window.start
    ]


def _initial(rows: list[Release], releases: tuple[Release, ...]) -> list[Release]:
    """Of each date its first release, where that falls into the window."""
    first = {release.date: release for release in reversed(releases)}
    return [row for row in rows if first[row.date].start == row.start]


def _page[T](rows: list[T], query: dict[str, str], most: int) -> tuple[list[T], dict[str, str]]:
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", most))
    if not 1 <= limit <= most:
        raise BadRequestError(f"Variable limit is not between 1 and {most}.")
    order = query.get("sort_order", "asc")
    page = (rows if order == "asc" else rows[::-1])[offset : offset + limit]
    return page, {"sort_order": order, "count": str(len(rows)), "offset": str(offset), "limit": str(limit)}


def _element(name: str, attributes: dict[str, str]) -> str:
    return f"  <{name} {' '.join(f'{key}={quoteattr(value)}' for key, value in attributes.items())}/>\n"


def _document(name: str, attributes: dict[str, str], elements: list[str]) -> Answer:
    head = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
    body = f'<?xml version="1.0" encoding="utf-8" ?>\n<{name} {head}>\n{"".join(elements)}</{name}>\n'
    return Answer.text(body, XML)
