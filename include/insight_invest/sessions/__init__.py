"""Which days a market trades, and from when until when.

``exchange`` is a MIC, XNYS (New York; NASDAQ and AMEX keep the same hours) or XKRX (Seoul; KOSPI, KOSDAQ and KONEX).
Days are ``datetime.date`` in the exchange's own calendar; instants are aware datetimes, answered in UTC.

Every answer comes from two kinds of file beside this module. ``table/*.csv`` lists each session with its opening and
closing time on the exchange's own clock, generated from exchange_calendars (Apache-2.0) by
``python -m include.insight_invest.sessions.generate``: building that library's calendar takes seconds, reading the
table milliseconds. ``overrides.csv`` lists what the library does not know, each line with its source, and wins.

Days outside the tables, and exchanges without one, raise UsageError.

Known limits: the Saturdays on which Korea traded (until 1998-12-05) were half days, and have the hours of a whole day
here, as the library gives them; when they closed, no source that could be cited says. They matter only to who asks what
had closed on a Saturday afternoon of the 1990s. Closures that KRX announces late are found by what no source has
(``updaters/closures.py``) until a line of ``overrides.csv`` says so.
"""

import csv
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from include.insight_invest.errors import UsageError

FIRST_DAY: Final = date(1990, 1, 1)
LAST_DAY: Final = date(2027, 12, 31)
ZONES: Final = MappingProxyType({"XNYS": "America/New_York", "XKRX": "Asia/Seoul"})
FOLDER: Final = Path(__file__).parent
COMMAND: Final = "python -m include.insight_invest.sessions.generate"

type Hours = tuple[str, str]  # opening and closing time, HH:MM on the exchange's clock


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day; ``open`` and ``close`` are UTC, the close being the end of the regular session."""

    exchange: str
    date: date
    open: datetime
    close: datetime


@dataclass(frozen=True, slots=True)
class _Table:
    """The sessions of one exchange: days ascending, ``hours[i]`` those of ``days[i]``."""

    exchange: str
    zone: ZoneInfo
    days: list[date]
    hours: list[Hours]

    def position(self, day: date) -> int:
        """How many sessions are at or before ``day``, once ``day`` is known to be in range."""
        if isinstance(day, datetime):  # a datetime is a date to the type checker, and compares with none
            raise UsageError(f"{day.isoformat()} is an instant; a session is asked for by its date (see local_date)")
        if not FIRST_DAY <= day <= LAST_DAY:
            raise _out_of_range(self.exchange, day)
        return bisect_right(self.days, day)

    def session(self, index: int) -> Session:
        """The session at ``index``, its hours put on its day and turned into UTC."""
        day = self.days[index]
        opening, close = (
            datetime.combine(day, time.fromisoformat(hour), self.zone).astimezone(UTC) for hour in self.hours[index]
        )
        return Session(self.exchange, day, opening, close)


def is_session(exchange: str, day: date) -> bool:
    """Whether the exchange trades on ``day``."""
    table = _table(exchange)
    position = table.position(day)
    return position > 0 and table.days[position - 1] == day


def session(exchange: str, day: date) -> Session:
    """The session of ``day``. Raises UsageError where the exchange does not trade that day."""
    table = _table(exchange)
    position = table.position(day)
    if position == 0 or table.days[position - 1] != day:
        raise UsageError(f"{exchange} does not trade on {day}")
    return table.session(position - 1)


def sessions(exchange: str, start: date, end: date) -> list[date]:
    """The sessions from ``start`` to ``end``, both included, ascending; none where ``start`` is after ``end``."""
    table = _table(exchange)
    last = table.position(end)
    table.position(start)  # for its range check
    return table.days[bisect_left(table.days, start) : last]


def last_closed(exchange: str, as_of: datetime) -> date:
    """The newest session whose close is at or before the instant ``as_of``."""
    table = _table(exchange)
    position = table.position(local_date(exchange, as_of))
    # A session opens and closes on one day of the exchange's own clock, so only the newest one can still be open.
    if position and table.session(position - 1).close > as_of:
        position -= 1
    if position == 0:
        raise _out_of_range(exchange, as_of)
    return table.days[position - 1]


def back(exchange: str, day: date, n: int) -> date:
    """The ``n``-th session before ``day``; with ``n`` 0, ``day`` if it is a session and the newest before it if not."""
    if n < 0:
        raise UsageError(f"back counts sessions before a day: n is {n}, and must be 0 or more")
    table = _table(exchange)
    position = table.position(day)
    if n and not (position and table.days[position - 1] == day):
        position += 1
    if position - n < 1:
        raise _out_of_range(exchange, f"{n} sessions before {day}")
    return table.days[position - n - 1]


def back_or_first(exchange: str, day: date, n: int) -> date:
    """As ``back``; FIRST_DAY where the tables do not reach so far, also for a ``day`` before them."""
    if day < FIRST_DAY:
        return FIRST_DAY
    table = _table(exchange)
    first = table.days[n] if n < len(table.days) else LAST_DAY
    return back(exchange, day, n) if day > first else FIRST_DAY


def local_date(exchange: str, instant: datetime) -> date:
    """The date at ``instant`` on the exchange's own clock."""
    if instant.tzinfo is None:
        raise UsageError(f"{instant.isoformat()} has no time zone: an instant is an aware datetime")
    return instant.astimezone(zone(exchange)).date()


def zone(exchange: str) -> ZoneInfo:
    """The exchange's time zone."""
    if exchange not in ZONES:
        raise UsageError(
            f"no session table for the exchange {exchange!r}; there is one for {' and '.join(ZONES)}, "
            f"{FIRST_DAY}..{LAST_DAY} ({COMMAND} writes them)"
        )
    return ZoneInfo(ZONES[exchange])


def read_table(exchange: str) -> dict[date, Hours]:
    """The library's table of one exchange, without overrides: day to hours, ascending."""
    with (FOLDER / "table" / f"{exchange.lower()}.csv").open(encoding="ascii", newline="") as file:
        next(file)
        return {date.fromisoformat(day): (opening, close) for day, opening, close in csv.reader(file)}


def read_overrides(exchange: str) -> dict[date, Hours | None]:
    """The reviewed overrides of one exchange: day to hours, or to None where the exchange was closed."""
    with (FOLDER / "overrides.csv").open(encoding="utf-8", newline="") as file:
        return {
            date.fromisoformat(row["date"]): None if row["state"] == "closed" else (row["open"], row["close"])
            for row in csv.DictReader(file)
            if row["exchange"] == exchange
        }


@cache
def _table(exchange: str) -> _Table:
    where = zone(exchange)  # before the file, so that an unknown exchange is named as one
    hours = read_table(exchange)
    for day, override in read_overrides(exchange).items():
        if override is None:
            hours.pop(day, None)
        else:
            hours[day] = override
    days = sorted(hours)
    return _Table(exchange, where, days, [hours[day] for day in days])


def _out_of_range(exchange: str, what: object) -> UsageError:
    return UsageError(
        f"{what} is outside the session table of {exchange}, {FIRST_DAY}..{LAST_DAY}; "
        f"to extend it, change FIRST_DAY or LAST_DAY in sessions/__init__.py and run {COMMAND}"
    )
