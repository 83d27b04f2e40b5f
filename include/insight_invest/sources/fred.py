"""FRED, through fredapi: every vintage of a series, in the clock of Chicago.

The key travels in the URL, so nothing of a URL or of a library's message that holds one may leave this module.
"""

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from http.client import HTTPException
from typing import Any
from xml.etree.ElementTree import ParseError
from zoneinfo import ZoneInfo

import pandas as pd

from include.insight_invest.errors import ConfigurationError, InsightError, NotFound, SourceUnavailable, Throttled
from include.insight_invest.settings import Settings
from include.insight_invest.sources.calling import Pace, retrying, socket_timeout

log = logging.getLogger(__name__)

CENTRAL = ZoneInfo("America/Chicago")  # FRED's "today"
EARLIEST = date(1776, 7, 4)  # the first day FRED's real-time period allows
# FRED answers at most 2,000 vintage dates and 100,000 rows a request.
VINTAGES_PER_REQUEST = 1000
ROWS_PER_REQUEST = 100_000
COLUMNS = ("base_date", "realtime_start", "value")


class Fred:
    """The ``fred`` source."""

    name = "fred"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pace = Pace(settings.fred_rate)
        self._client: Any = None
        self.requests = 0

    def vintages(self, series_id: str, since: date | None, as_of: datetime) -> Iterator[pd.DataFrame]:
        """All that was known of ``series_id`` from ``since`` (None: ever) to ``as_of``, in chunks.

        Each chunk: one row per (base_date, realtime_start), columns base_date, realtime_start, value (NaN where FRED
        has "."). Raises NotFound, Throttled, SourceUnavailable.
        """
        today = as_of.astimezone(CENTRAL).date()
        if since is not None and (today - since).days < VINTAGES_PER_REQUEST:
            # At most one vintage a day: one request holds them all.
            if since <= today:
                yield from self._releases(series_id, since, today)
            return
        dates = [day for day in self._vintage_dates(series_id) if (since or EARLIEST) <= day <= today]
        for first in range(0, len(dates), VINTAGES_PER_REQUEST):
            last = first + VINTAGES_PER_REQUEST
            end = today if last >= len(dates) else dates[last] - timedelta(days=1)
            yield from self._releases(series_id, dates[first], end)

    def _vintage_dates(self, series_id: str) -> list[date]:
        def call(client: Any) -> list[date]:
            moments = client.get_series_vintage_dates(series_id)
            if any(pd.isna(moment) for moment in moments):
                raise ParseError("a vintage date without a date")
            return sorted(moment.date() for moment in moments)

        found: list[date] = self._call(series_id, call)
        return found

    def _releases(self, series_id: str, start: date, end: date) -> Iterator[pd.DataFrame]:
        frame = self._call(series_id, lambda client: client.get_series_all_releases(series_id, start, end))
        if len(frame) >= ROWS_PER_REQUEST and start < end:
            # FRED cuts a longer answer without a word.
            middle = start + (end - start) // 2
            yield from self._releases(series_id, start, middle)
            yield from self._releases(series_id, middle + timedelta(days=1), end)
        elif not frame.empty:
            yield pd.DataFrame(
                {
                    "base_date": pd.to_datetime(frame["date"]),
                    "realtime_start": pd.to_datetime(frame["realtime_start"]),
                    "value": pd.to_numeric(frame["value"], errors="coerce").astype(float),
                }
            )

    def _call(self, series_id: str, call: Any) -> Any:
        return retrying(lambda: self._once(series_id, call), self._settings, what=f"FRED {series_id}")

    def _once(self, series_id: str, call: Any) -> Any:
        self._pace.wait()
        self.requests += 1
        try:
            with socket_timeout(self._settings.timeout):
                return call(self._open())
        except (ParseError, AttributeError, TypeError) as error:
            # What an answer cut short, and a page of HTML that happens to be well-formed, is to fredapi.
            raise _throttled(series_id, error) or SourceUnavailable(
                f"FRED's answer for {series_id} is not XML"
            ) from None
        except ValueError as error:
            raise _throttled(series_id, error) or _refused(series_id, str(error)) from None
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


def _refused(series_id: str, message: str) -> InsightError:
    """The error of our tree that a refusal is; FRED's own words name no key."""
    words = message.lower()
    if "does not exist" in words:
        return NotFound(f"FRED does not know {series_id}")
    if "api_key" in words:
        # so it is for every series, now and later
        return ConfigurationError("FRED refuses FRED_API_KEY: it is 32 lower-case letters and digits, and registered")
    return SourceUnavailable(f"FRED refused {series_id}: {message[:200]}")
