"""FRED, through fredapi: every vintage of a series, in the clock of Chicago.

The key travels in the URL, so nothing of a URL or of a library's message that holds one may leave this module.
"""

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from xml.etree.ElementTree import ParseError
from zoneinfo import ZoneInfo

import pandas as pd

from include.insight_invest.errors import ConfigurationError, InsightError, NotFound, SourceUnavailable, Throttled
from include.insight_invest.settings import Settings
from include.insight_invest.sources.calling import Pace, Turns, retrying, socket_timeout
from include.insight_invest.wording import plain

log = logging.getLogger(__name__)

CENTRAL = ZoneInfo("America/Chicago")  # FRED's "today"
EARLIEST = date(1776, 7, 4)  # the first day FRED's real-time period allows
# FRED answers at most 2,000 vintage dates and 100,000 rows a request.
VINTAGES_PER_REQUEST = 1000
ROWS_PER_REQUEST = 100_000
# frequency_short of https://fred.stlouisfed.org/docs/api/fred/series.html; a code that is not here is a year or more
_PERIOD_DAYS = {"D": 1, "W": 7, "BW": 14, "M": 31, "Q": 92, "SA": 184, "A": 366}
_LONGEST_PERIOD_DAYS = 366
# Three releases missed, and twice as long again as US agencies have ever been shut (43 days, autumn of 2025).
MISSED_RELEASES = 3
SHUTDOWN_DAYS = 90
FARTHEST_YEARS = 100  # projections reach decades ahead; a day of 9999 says nothing


def chicago_day(moment: datetime) -> date:
    """FRED's date at ``moment`` (aware): the newest real-time date that it does not refuse."""
    return moment.astimezone(CENTRAL).date()


@dataclass(frozen=True)
class Vintages:
    """One answer: what was known of a series on each day from ``start`` to ``end``, both included.

    ``rows``: one row per (base_date, realtime_start), columns base_date, realtime_start, value (NaN where FRED has
    "."). FRED gives what was already known at ``start`` under that day.
    """

    rows: pd.DataFrame
    start: date
    end: date


@dataclass(frozen=True)
class Description:
    """What FRED says of a series itself. ``updated`` is None where FRED does not say when."""

    title: str
    frequency: str
    updated: datetime | None

    def ended(self, newest: date, today: date) -> str | None:
        """Why the series, whose newest vintage is of ``newest``, has come to its end; None where it has not."""
        if "DISCONTINUED" in self.title.upper():
            return "FRED's title says so"
        limit = MISSED_RELEASES * _PERIOD_DAYS.get(self.frequency, _LONGEST_PERIOD_DAYS) + SHUTDOWN_DAYS
        if (silent := (today - newest).days) > limit:
            return f"no release since {newest}, {silent} days, of a series whose frequency is {self.frequency or '?'}"
        return None


class Fred:
    """The ``fred`` source; a request asks for at most ``vintages_per_request`` vintages."""

    name = "fred"

    def __init__(
        self, settings: Settings, vintages_per_request: int = VINTAGES_PER_REQUEST, turns: Turns | None = None
    ) -> None:
        self._settings = settings
        self._size = vintages_per_request
        self._pace = Pace(self.name, settings.rate_of(self.name), turns)
        self._client: Any = None
        self.requests = 0

    def vintages(self, series_id: str, since: date | None, as_of: datetime) -> Iterator[Vintages]:
        """All that was known of ``series_id`` from ``since`` (None: ever) to ``as_of``, in answers that follow each
        other in time.

        Raises NotFound, Throttled, SourceUnavailable.
        """
        today = chicago_day(as_of)
        if since is not None and (today - since).days < self._size:
            # At most one vintage a day: one request holds them all.
            if since <= today:
                yield from self._releases(series_id, since, today)
            return
        dates = [day for day in self._vintage_dates(series_id) if (since or EARLIEST) <= day <= today]
        for first in range(0, len(dates), self._size):
            last = first + self._size
            end = today if last >= len(dates) else dates[last] - timedelta(days=1)
            yield from self._releases(series_id, dates[first], end)

    def describe(self, series_id: str, as_of: datetime) -> Description:
        """What FRED said of ``series_id`` at ``as_of``. Raises as ``vintages`` does."""
        day = chicago_day(as_of)
        # get_series_info takes an id and nothing else: the window goes into the query behind it.
        asked = f"{series_id}&realtime_start={day}&realtime_end={day}"
        info = self._call(series_id, lambda client: client.get_series_info(asked))
        updated = str(info.get("last_updated", ""))
        try:
            moment = datetime.fromisoformat(updated)  # 2024-10-30 07:54:01-05
        except ValueError:
            moment = None
        known = moment if moment is not None and moment.tzinfo is not None else None
        return Description(str(info.get("title", "")), str(info.get("frequency_short", "")), known)

    def _vintage_dates(self, series_id: str) -> list[date]:
        def call(client: Any) -> list[date]:
            moments = client.get_series_vintage_dates(series_id)
            if any(pd.isna(moment) for moment in moments):
                raise ParseError("a vintage date without a date")
            return sorted(moment.date() for moment in moments)

        found: list[date] = self._call(series_id, call)
        return found

    def _releases(self, series_id: str, start: date, end: date) -> Iterator[Vintages]:
        frame = self._call(series_id, lambda client: client.get_series_all_releases(series_id, start, end))
        if len(frame) >= ROWS_PER_REQUEST and start < end:
            # FRED cuts a longer answer without a word.
            middle = start + (end - start) // 2
            yield from self._releases(series_id, start, middle)
            yield from self._releases(series_id, middle + timedelta(days=1), end)
        elif not frame.empty:
            yield Vintages(_vintages(series_id, frame, start, end), start, end)

    def _call(self, series_id: str, call: Callable[[Any], Any]) -> Any:
        return retrying(lambda: self._once(series_id, call), self._settings, what=f"FRED {series_id}")

    def _once(self, series_id: str, call: Callable[[Any], Any]) -> Any:
        self._pace.wait()
        self.requests += 1
        try:
            with socket_timeout(self._settings.timeout):
                return call(self._open())
        except (ParseError, AttributeError, TypeError, LookupError) as error:
            # What an answer cut short, and a page of HTML that happens to be well-formed, is to fredapi.
            raise _throttled(series_id, error) or SourceUnavailable(
                f"FRED's answer for {series_id} is not XML"
            ) from None
        except (ValueError, OverflowError) as error:
            raise _throttled(series_id, error) or _refused(series_id, error) from None
        except (OSError, HTTPException) as error:
            raise SourceUnavailable(f"FRED did not answer for {series_id}: {type(error).__name__}") from None

    def _open(self) -> Any:
        if self._client is None:
            import fredapi

            key = self._settings.fred_api_key
            assert key is not None  # noqa: S101 (the job needs FRED_API_KEY)
            self._client = fredapi.Fred(api_key=key.get_secret_value())
        return self._client


def _throttled(series_id: str, error: Exception) -> Throttled | None:
    """fredapi turns every HTTP error into a ValueError or a ParseError; the status is in what it was handling."""
    status = getattr(error.__context__, "code", None)
    return Throttled(f"FRED asks to slow down at {series_id} ({status})") if status in (403, 429) else None


def _vintages(series_id: str, frame: pd.DataFrame, start: date, end: date) -> pd.DataFrame:
    """The rows of an answer for ``start`` to ``end``. Raises SourceUnavailable where they cannot be those of one."""
    rows = pd.DataFrame(
        {
            "base_date": pd.to_datetime(frame["date"]),
            "realtime_start": pd.to_datetime(frame["realtime_start"]),
            "value": pd.to_numeric(frame["value"], errors="coerce").astype(float),
        }
    )
    known = rows["realtime_start"].between(pd.Timestamp(start), pd.Timestamp(end))  # FRED clips them to the window
    wrong = {
        "an observation without a day": rows["base_date"].isna(),
        "an observation of a day over a century ahead": rows["base_date"].dt.year > end.year + FARTHEST_YEARS,
        "a vintage of another time than was asked for": ~known,
        "a value that is not finite": rows["value"].isin((math.inf, -math.inf)),
        "two values of one vintage": rows.duplicated(["base_date", "realtime_start"], keep=False),
    }
    for what, found in wrong.items():
        if found.any():
            raise SourceUnavailable(f"FRED's answer for {series_id} has {what}; nothing of it was loaded")
    return rows


def _refused(series_id: str, error: Exception) -> InsightError:
    """The error of our tree that a refusal is; FRED's own words name no key."""
    if not isinstance(error.__context__, HTTPError):
        # not FRED's words: what a damaged number or day is to fredapi
        return SourceUnavailable(f"FRED's answer for {series_id} is not one: a number or a day of it cannot be read")
    message = plain(str(error))
    words = message.lower()
    if "does not exist" in words:
        return NotFound(f"FRED does not know {series_id}")
    if "api_key" in words:
        # so it is for every series, now and later
        return ConfigurationError("FRED refuses FRED_API_KEY: it is 32 lower-case letters and digits, and registered")
    return SourceUnavailable(f"FRED refused {series_id}: {message}")
