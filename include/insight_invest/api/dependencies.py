"""What endpoints are given: a connection, and values that are within bounds."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, NamedTuple

from annotated_types import Ge
from fastapi import Depends, HTTPException, Path, Query, Request

from include.insight_invest import clock
from include.insight_invest.store import read
from include.insight_invest.store.database import Connection

STATEMENT_SECONDS = 5
MAX_DAYS = 3_660  # ten years of one ticker are 2,500 rows, 500 kB of JSON
DEFAULT_DAYS = 365
OLDEST = date(1900, 1, 1)
_MAX_INTEGER = 2**31 - 1  # meta_id is a PostgreSQL integer


class DateRange(NamedTuple):
    """Both days included."""

    start: date
    end: date


def _reader(request: Request) -> Iterator[Connection]:
    url = request.app.state.settings.database()
    with read.reader(url, application="insight-invest api", statement_seconds=STATEMENT_SECONDS) as connection:
        yield connection


Day = Annotated[date, Ge(OLDEST)]


def _date_range(
    start: Annotated[Day | None, Query(description=f"First day; {DEFAULT_DAYS} days before `end` if not given")] = None,
    end: Annotated[Day | None, Query(description="Last day, included; today (UTC) if not given")] = None,
) -> DateRange:
    end = end or clock.now().date()
    start = start or max(OLDEST, end - timedelta(days=DEFAULT_DAYS))
    if start > end:
        raise HTTPException(422, f"start {start} is after end {end}")
    if (end - start).days > MAX_DAYS:
        raise HTTPException(422, f"{start} to {end} is more than {MAX_DAYS} days: ask for less at a time")
    return DateRange(start, end)


Reader = Annotated[Connection, Depends(_reader)]
Range = Annotated[DateRange, Depends(_date_range)]
MetaId = Annotated[int, Path(ge=1, le=_MAX_INTEGER, description="tb_meta.meta_id, as /api/meta gives it")]
After = Annotated[int, Query(ge=0, le=_MAX_INTEGER, description="`next` of the page before; 0 for the first page")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Rows of a page")]
IsoCode = Annotated[str | None, Query(pattern="^[A-Z]{2}$", description="Country: US or KR", examples=["KR"])]
FredId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,50}$", description="FRED's id of a series", examples=["GDP"])]
