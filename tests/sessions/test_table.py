"""The checked-in tables: equal to what their library gives today, and to recorded official answers."""

import csv
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

import pytest

from include.insight_invest import sessions
from include.insight_invest.sessions import generate

ROOT: Final = Path(__file__).parents[2]

# Days that 005930's own history proves to have been sessions, and the tables' library does not know.
TRADED: Final = {date(1992, 12, 28), date(1993, 7, 7), date(1994, 2, 14), date(1994, 5, 20)}
# Where the recorded XKRX answers are wrong, and we know better (overrides.csv; generate._MARGIN for the last one).
KNOWN_BETTER: Final = {*TRADED, date(2026, 7, 17), date(2026, 11, 19), date(2026, 12, 30)}

type Answers = dict[date, tuple[datetime, datetime]]


def recorded(path: Path) -> Answers:
    with path.open(encoding="ascii", newline="") as file:
        return {
            date.fromisoformat(day[:10]): (datetime.fromisoformat(opening), datetime.fromisoformat(close))
            for day, opening, close, *_ in list(csv.reader(file))[1:]
        }


@pytest.mark.parametrize("exchange", sessions.ZONES)
def test_tables_equal_the_recorded_answers(exchange: str, shared_data: Path) -> None:
    expected = recorded(shared_data / "calendars" / f"{exchange.lower()}.csv")
    last = max(expected)
    ours = {
        day: (session.open, session.close)
        for day in sessions.sessions(exchange, sessions.FIRST_DAY, last)
        for session in [sessions.session(exchange, day)]
    }
    known_better = KNOWN_BETTER if exchange == "XKRX" else set()
    different = {day for day in ours.keys() | expected.keys() if ours.get(day) != expected.get(day)}
    assert {day for day in different if day >= sessions.FIRST_DAY} == known_better


def test_every_day_on_which_samsung_traded_is_a_session(shared_data: Path) -> None:
    """33 years of 005930: each day has prices and a volume of its own, also those that only overrides.csv knows."""
    with (shared_data / "kr_daily" / "QuantKang-005930_D.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {date.fromisoformat(row["date"]): row for row in csv.DictReader(file)}
    assert len(rows) == 8343
    assert [day for day in rows if not sessions.is_session("XKRX", day)] == []
    days = sorted(rows)
    for day in TRADED:
        neighbours = [rows[days[days.index(day) + step]] for step in (-1, 1)]
        assert int(rows[day]["volume"]) > 0
        assert rows[day]["volume"] not in [row["volume"] for row in neighbours]


@pytest.mark.parametrize("exchange", sessions.ZONES)
def test_regenerating_gives_the_checked_in_bytes(exchange: str) -> None:
    pytest.importorskip("exchange_calendars", reason="the dev dependency group is not installed")
    checked_in = (sessions.FOLDER / "table" / f"{exchange.lower()}.csv").read_bytes()
    assert generate.render(generate.library_table(exchange)).encode("ascii") == checked_in, (
        f"run {sessions.COMMAND}, read the difference it prints, and commit it"
    )


@pytest.mark.parametrize("exchange", sessions.ZONES)
def test_every_override_says_something_that_the_library_does_not(exchange: str) -> None:
    assert generate.learnt(sessions.read_table(exchange), sessions.read_overrides(exchange)) == []


def test_every_override_is_well_formed_and_has_a_source() -> None:
    with (sessions.FOLDER / "overrides.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["exchange"], row["date"]) for row in rows]
    assert keys == sorted(set(keys))
    for row in rows:
        assert row["exchange"] in sessions.ZONES, row
        assert len(row["source"]) > 20, row
        assert (row["state"], bool(row["open"]), bool(row["close"])) in {
            ("closed", False, False),
            ("open", True, True),
        }, row


def test_the_difference_is_read_by_day() -> None:
    old = {date(2026, 1, 2): ("09:00", "15:30"), date(2026, 1, 5): ("09:00", "15:30")}
    new = {date(2026, 1, 2): ("10:00", "15:30"), date(2026, 1, 6): ("09:00", "15:30")}
    assert list(generate.difference(old, new)) == [
        "- 2026-01-02 09:00-15:30",
        "+ 2026-01-02 10:00-15:30",
        "- 2026-01-05 09:00-15:30",
        "+ 2026-01-06 09:00-15:30",
    ]


def test_an_answer_takes_under_a_millisecond() -> None:
    as_of = datetime(2026, 11, 20, 9, tzinfo=UTC)
    sessions.last_closed("XKRX", as_of)  # reads the table
    started = perf_counter()
    for _ in range(100):
        sessions.last_closed("XKRX", as_of)
    assert perf_counter() - started < 0.1


def test_asking_for_a_session_does_not_import_the_calendar_library() -> None:
    code = (
        "import sys, datetime; from include.insight_invest import sessions; "
        "sessions.is_session('XKRX', datetime.date(2026, 3, 19)); "
        "print(sorted({'exchange_calendars', 'pandas', 'numpy'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"
