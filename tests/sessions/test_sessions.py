"""What a market's day is: holidays, half days, clock changes, overrides, and the instant a session counts as closed."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

import pytest

from include.insight_invest import sessions
from include.insight_invest.errors import UsageError


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("exchange", "day", "opening", "close"),
    [
        ("XNYS", date(2026, 1, 5), "2026-01-05 14:30", "2026-01-05 21:00"),
        ("XNYS", date(2026, 7, 6), "2026-07-06 13:30", "2026-07-06 20:00"),
        # the clocks change on Sunday 2026-03-08 and Sunday 2026-11-01
        ("XNYS", date(2026, 3, 6), "2026-03-06 14:30", "2026-03-06 21:00"),
        ("XNYS", date(2026, 3, 9), "2026-03-09 13:30", "2026-03-09 20:00"),
        ("XNYS", date(2026, 10, 30), "2026-10-30 13:30", "2026-10-30 20:00"),
        ("XNYS", date(2026, 11, 2), "2026-11-02 14:30", "2026-11-02 21:00"),
        # half days: after Thanksgiving, Christmas Eve, before Independence Day
        ("XNYS", date(2026, 11, 27), "2026-11-27 14:30", "2026-11-27 18:00"),
        ("XNYS", date(2026, 12, 24), "2026-12-24 14:30", "2026-12-24 18:00"),
        ("XNYS", date(2024, 7, 3), "2024-07-03 13:30", "2024-07-03 17:00"),
        # Korea has no daylight saving; the first session of a year opens an hour late
        ("XKRX", date(2026, 7, 6), "2026-07-06 00:00", "2026-07-06 06:30"),
        ("XKRX", date(2026, 1, 2), "2026-01-02 01:00", "2026-01-02 06:30"),
        ("XKRX", date(2027, 12, 30), "2027-12-30 00:00", "2027-12-30 06:30"),
        ("XKRX", date(2016, 7, 29), "2016-07-29 00:00", "2016-07-29 06:00"),  # 15:00 until 2016-07-31
        # the college entrance examination delays the day by an hour
        ("XKRX", date(2020, 12, 3), "2020-12-03 01:00", "2020-12-03 07:30"),
        ("XKRX", date(2025, 11, 13), "2025-11-13 01:00", "2025-11-13 07:30"),
        ("XKRX", date(2026, 11, 19), "2026-11-19 01:00", "2026-11-19 07:30"),
    ],
)
def test_hours_of_a_session(exchange: str, day: date, opening: str, close: str) -> None:
    assert sessions.session(exchange, day) == sessions.Session(exchange, day, utc(opening), utc(close))


@pytest.mark.parametrize(
    ("exchange", "day", "trades"),
    [
        ("XNYS", date(2026, 11, 26), False),  # Thanksgiving
        ("XNYS", date(2026, 4, 3), False),  # Good Friday
        ("XNYS", date(2026, 7, 3), False),  # Independence Day, kept on the Friday
        ("XNYS", date(2001, 9, 14), False),
        ("XNYS", date(2012, 10, 29), False),  # Hurricane Sandy
        ("XNYS", date(2025, 1, 9), False),  # national day of mourning
        ("XNYS", date(2026, 11, 21), False),  # a Saturday
        ("XNYS", date(2026, 11, 20), True),
        ("XNYS", date(1990, 1, 2), True),
        ("XNYS", date(2027, 12, 31), True),
        ("XKRX", date(2026, 2, 17), False),  # Lunar New Year
        ("XKRX", date(2026, 5, 1), False),  # Labour Day
        ("XKRX", date(2026, 12, 31), False),  # KRX never trades on the year's last weekday
        ("XKRX", date(1998, 12, 5), True),  # the last Saturday that traded
        ("XKRX", date(1998, 12, 12), False),
        ("XKRX", date(2025, 9, 19), True),  # Yahoo lacks it, the session was real
    ],
)
def test_whether_a_day_is_a_session(exchange: str, day: date, *, trades: bool) -> None:
    assert sessions.is_session(exchange, day) is trades


UNSCHEDULED_KOREAN_CLOSURES: Final = [
    date(2023, 10, 2),
    date(2024, 4, 10),
    date(2024, 10, 1),
    date(2025, 1, 27),
    date(2025, 6, 3),
    date(2026, 6, 3),
    date(2026, 7, 17),
]


@pytest.mark.parametrize("day", UNSCHEDULED_KOREAN_CLOSURES, ids=str)
def test_unscheduled_korean_closures_are_known(day: date) -> None:
    assert not sessions.is_session("XKRX", day)


def test_an_overridden_closure_has_no_session() -> None:
    with pytest.raises(UsageError, match="XKRX does not trade on 2026-06-03"):
        sessions.session("XKRX", date(2026, 6, 3))


def test_sessions_between_two_days_includes_both() -> None:
    assert sessions.sessions("XNYS", date(2026, 11, 25), date(2026, 11, 30)) == [
        date(2026, 11, 25),
        date(2026, 11, 27),
        date(2026, 11, 30),
    ]


def test_sessions_of_a_weekend_or_a_backward_range_are_none() -> None:
    assert sessions.sessions("XNYS", date(2026, 11, 21), date(2026, 11, 22)) == []
    assert sessions.sessions("XNYS", date(2026, 11, 20), date(2026, 11, 19)) == []


@pytest.mark.parametrize(
    ("exchange", "as_of", "day"),
    [
        ("XNYS", "2026-11-20T20:59:59+00:00", date(2026, 11, 19)),
        ("XNYS", "2026-11-20T21:00:00+00:00", date(2026, 11, 20)),
        ("XNYS", "2026-11-20T18:00:00+09:00", date(2026, 11, 19)),  # the job's hour in Seoul
        ("XNYS", "2026-11-22T12:00:00+00:00", date(2026, 11, 20)),
        ("XNYS", "2026-11-27T17:59:59+00:00", date(2026, 11, 25)),  # a half day, after a holiday
        ("XNYS", "2026-11-27T18:00:00+00:00", date(2026, 11, 27)),
        ("XNYS", "2026-11-21T02:00:00+00:00", date(2026, 11, 20)),  # Saturday in UTC, Friday evening in New York
        ("XKRX", "2026-03-19T15:29:59+09:00", date(2026, 3, 18)),
        ("XKRX", "2026-03-19T15:30:00+09:00", date(2026, 3, 19)),
        ("XKRX", "2026-03-18T21:00:00+00:00", date(2026, 3, 18)),  # 06:00 of the next day in Seoul
        ("XKRX", "2026-06-03T16:00:00+09:00", date(2026, 6, 2)),
        ("XKRX", "2026-11-19T16:00:00+09:00", date(2026, 11, 18)),  # examination day closes at 16:30
        ("XKRX", "2026-11-19T16:30:00+09:00", date(2026, 11, 19)),
        ("XKRX", "2027-01-03T12:00:00+09:00", date(2026, 12, 30)),
    ],
)
def test_last_closed(exchange: str, as_of: str, day: date) -> None:
    assert sessions.last_closed(exchange, datetime.fromisoformat(as_of)) == day


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (date(2026, 11, 30), 0, date(2026, 11, 30)),
        (date(2026, 11, 30), 1, date(2026, 11, 27)),
        (date(2026, 11, 30), 2, date(2026, 11, 25)),
        (date(2026, 11, 30), 5, date(2026, 11, 20)),
        (date(2026, 11, 29), 0, date(2026, 11, 27)),  # a Sunday
        (date(2026, 11, 29), 1, date(2026, 11, 27)),
        (date(2026, 11, 29), 2, date(2026, 11, 25)),
    ],
)
def test_back_counts_sessions_before_a_day(day: date, n: int, expected: date) -> None:
    assert sessions.back("XNYS", day, n) == expected


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (date(2026, 11, 30), 1, date(2026, 11, 27)),
        (date(2026, 11, 29), 1, date(2026, 11, 27)),  # a Sunday
        (date(1990, 1, 4), 1, date(1990, 1, 3)),  # the tables begin on the 2nd
        (date(1990, 1, 4), 9, sessions.FIRST_DAY),
        (date(1989, 12, 31), 0, sessions.FIRST_DAY),
    ],
)
def test_back_or_first_ends_where_the_tables_begin(day: date, n: int, expected: date) -> None:
    assert sessions.back_or_first("XNYS", day, n) == expected


def test_local_date_is_the_exchanges_own() -> None:
    instant = utc("2026-11-20 02:00")
    assert sessions.local_date("XNYS", instant) == date(2026, 11, 19)
    assert sessions.local_date("XKRX", instant) == date(2026, 11, 20)
    assert str(sessions.zone("XNYS")) == "America/New_York"
    assert str(sessions.zone("XKRX")) == "Asia/Seoul"


@pytest.mark.parametrize(
    "call",
    [
        lambda: sessions.is_session("XNYS", date(1989, 12, 31)),
        lambda: sessions.session("XNYS", date(2028, 1, 1)),
        lambda: sessions.sessions("XKRX", date(1989, 12, 31), date(2026, 1, 1)),
        lambda: sessions.sessions("XKRX", date(2026, 1, 1), date(2028, 1, 1)),
        lambda: sessions.last_closed("XNYS", utc("2028-01-02 00:00")),
        lambda: sessions.last_closed("XNYS", utc("1990-01-02 20:59")),
        lambda: sessions.back("XNYS", date(1990, 1, 3), 2),
        lambda: sessions.is_session("XTKS", date(2026, 1, 5)),
    ],
)
def test_beyond_the_tables_the_error_names_range_and_command(call: Callable[[], object]) -> None:
    with pytest.raises(UsageError, match=r"1990-01-01\.\.2027-12-31.*python -m include\.insight_invest\.sessions\.gen"):
        call()


def test_back_reaches_the_very_first_session() -> None:
    assert sessions.back("XNYS", date(1990, 1, 3), 1) == date(1990, 1, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sessions.back("XNYS", date(2026, 1, 5), -1), "n is -1"),
        (lambda: sessions.last_closed("XNYS", datetime(2026, 1, 5)), "has no time zone"),  # noqa: DTZ001 (the point)
        (lambda: sessions.is_session("XNYS", utc("2026-01-05 12:00")), "is an instant"),
    ],
)
def test_wrong_use_says_what_is_wrong(call: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()
