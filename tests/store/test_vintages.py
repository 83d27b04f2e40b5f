"""Loading macro vintages: what was known when."""

from datetime import date
from typing import Any

import pytest

from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import broken_invariants
from include.insight_invest.store.load import Change, Counts
from include.insight_invest.store.read import observations
from tests.store.rows import NAN, load_series, macro, stored_vintages, vintages
from tests.store.vintages import load_answer, replaced

FIRST = ("2025-10-01", "2026-01-30", 30_000.0)
SECOND = ("2025-10-01", "2026-02-27", 30_100.0)


@pytest.fixture(autouse=True)
def gdp(connection: Connection) -> None:
    macro(connection, "GDP")


def newest(connection: Connection) -> list[tuple[str, object]]:
    rows = connection.execute("select base_date, value from tb_macro_data where macro_id = 1 order by 1").fetchall()
    return [(str(day), value) for day, value in rows]


def test_every_vintage_is_stored_and_the_newest_is_shown(connection: Connection) -> None:
    assert load_series(connection, vintages(FIRST, SECOND)) == Counts(new=2, tickers={1})
    assert stored_vintages(connection) == [(*FIRST, "fred"), (*SECOND, "fred")]
    assert newest(connection) == [("2025-10-01", 30_100.0)]


def test_the_same_vintages_again_write_nothing(connection: Connection) -> None:
    load_series(connection, vintages(FIRST, SECOND))
    assert load_series(connection, vintages(FIRST, SECOND)) == Counts(unchanged=2)
    assert len(stored_vintages(connection)) == 2


def test_a_revision_is_one_new_row(connection: Connection) -> None:
    load_series(connection, vintages(FIRST))
    assert load_series(connection, vintages(FIRST, SECOND)) == Counts(new=1, unchanged=1, tickers={1})
    assert newest(connection) == [("2025-10-01", 30_100.0)]


def test_a_clipped_row_is_no_vintage(connection: Connection) -> None:
    """Asked from 2026-02-10 on, FRED says that the value of January is valid from then."""
    load_series(connection, vintages(FIRST))
    clipped = ("2025-10-01", "2026-02-10", 30_000.0)
    assert load_series(connection, vintages(clipped, SECOND)) == Counts(new=1, unchanged=1, tickers={1})
    assert stored_vintages(connection) == [(*FIRST, "fred"), (*SECOND, "fred")]


def test_a_value_that_goes_back_to_an_earlier_one_is_a_vintage(connection: Connection) -> None:
    load_series(connection, vintages(FIRST, SECOND))
    back = ("2025-10-01", "2026-03-13", 30_000.0)
    assert load_series(connection, vintages(back)) == Counts(new=1, tickers={1})
    assert newest(connection) == [("2025-10-01", 30_000.0)]


def test_a_point_is_a_missing_value_and_stored_as_one(connection: Connection) -> None:
    """CPI of 2025-10 was never collected: FRED says "." for ever."""
    hole = ("2025-10-01", "2025-12-18", NAN)
    assert load_series(connection, vintages(hole)) == Counts(new=1, tickers={1})
    assert load_series(connection, vintages(hole)) == Counts(unchanged=1)
    assert load_series(connection, vintages(("2025-10-01", "2026-01-13", NAN))) == Counts(unchanged=1)
    assert stored_vintages(connection) == [("2025-10-01", "2025-12-18", None, "fred")]
    assert newest(connection) == [("2025-10-01", None)]


def test_a_value_that_is_withdrawn_and_one_that_comes_after_all(connection: Connection) -> None:
    load_series(connection, vintages(FIRST, ("2025-10-01", "2026-02-27", NAN)))
    assert newest(connection) == [("2025-10-01", None)]
    load_series(connection, vintages(("2025-10-01", "2026-03-13", 30_050.0)))
    assert newest(connection) == [("2025-10-01", 30_050.0)]
    assert [row[2] for row in stored_vintages(connection)] == [30_000.0, None, 30_050.0]


def test_what_the_source_no_longer_serves_stays(connection: Connection) -> None:
    load_series(connection, vintages(FIRST, ("2026-01-01", "2026-02-27", 30_500.0)))
    load_series(connection, vintages(("2026-01-01", "2026-02-27", 30_500.0)))
    assert [row[0] for row in newest(connection)] == ["2025-10-01", "2026-01-01"]


def test_one_series_is_none_of_another(connection: Connection) -> None:
    macro(connection, "GDPC1")
    load_series(connection, vintages(FIRST))
    assert load_series(connection, vintages(FIRST), macro_id=2) == Counts(new=1, tickers={2})


def test_an_empty_frame_is_nothing(connection: Connection) -> None:
    assert load_series(connection, vintages()) == Counts()


def test_a_dry_run_is_told_every_vintage(connection: Connection) -> None:
    load_series(connection, vintages(FIRST))
    told: list[Change] = []
    with connection.transaction(force_rollback=True):
        load_series(connection, vintages(FIRST, SECOND), on_change=told.append)
    assert told == [
        Change(
            "tb_macro_vintage",
            "GDP",
            date(2025, 10, 1),
            None,
            {"realtime_start": date(2026, 2, 27), "value": 30_100.0},
        )
    ]
    assert len(stored_vintages(connection)) == 1


class TestContradicted:
    """FRED corrects itself within the day, or in its archive: what it says last is shown, what it said is kept."""

    def test_another_value_on_the_vintages_own_day(self, connection: Connection) -> None:
        load_answer(connection, [FIRST], until="2026-01-30")
        corrected = ("2025-10-01", "2026-01-30", 31_000.0)
        assert load_answer(connection, [corrected], until="2026-01-30") == Counts(changed=1, tickers={1})
        assert stored_vintages(connection) == [(*corrected, "fred")]
        assert replaced(connection) == [(*FIRST, 1, 2, False)]
        assert broken_invariants(connection, "macro") == []

    def test_a_vintage_that_is_taken_back_on_its_own_day(self, connection: Connection) -> None:
        load_answer(connection, [FIRST, SECOND], until="2026-02-27")
        same = ("2025-10-01", "2026-02-20", 30_000.0)  # clipped: on all days since, the value is January's
        assert load_answer(connection, [same], until="2026-02-28") == Counts(changed=1, unchanged=1, tickers={1})
        assert stored_vintages(connection) == [(*FIRST, "fred")]
        assert replaced(connection) == [(*SECOND, 1, 2, True)]
        assert broken_invariants(connection, "macro") == []

    def test_a_value_that_becomes_a_hole(self, connection: Connection) -> None:
        load_answer(connection, [FIRST], until="2026-01-30")
        hole = ("2025-10-01", "2026-01-30", NAN)
        assert load_answer(connection, [hole], until="2026-01-30").changed == 1
        assert stored_vintages(connection) == [("2025-10-01", "2026-01-30", None, "fred")]

    def test_what_the_answer_does_not_reach_stays(self, connection: Connection) -> None:
        """Neither the days before the window, nor those after it, nor another base_date."""
        other = ("2025-07-01", "2026-02-10", 29_000.0)
        load_answer(connection, [FIRST, SECOND, other], until="2026-03-20")
        said = [("2025-10-01", "2026-02-09", 30_000.0), ("2025-10-01", "2026-02-11", 30_050.0)]
        assert load_answer(connection, said, until="2026-02-12") == Counts(new=2, unchanged=1, tickers={1})
        assert stored_vintages(connection) == [
            (*other, "fred"),
            (*FIRST, "fred"),
            ("2025-10-01", "2026-02-11", 30_050.0, "fred"),
            ("2025-10-01", "2026-02-13", 30_000.0, "fred"),  # what was known of the day after the window
            (*SECOND, "fred"),
        ]
        assert replaced(connection) == []

    def test_a_clipped_row_yields_to_the_day_it_became_known(self, connection: Connection) -> None:
        load_answer(connection, [("2025-10-01", "2026-02-01", 30_000.0), SECOND], until="2026-03-20")
        assert load_answer(connection, [FIRST], until="2026-01-31") == Counts(new=1, changed=1, tickers={1})
        assert stored_vintages(connection) == [(*FIRST, "fred"), (*SECOND, "fred")]
        assert replaced(connection) == [("2025-10-01", "2026-02-01", 30_000.0, 1, 2, True)]
        assert broken_invariants(connection, "macro") == []

    def test_a_dry_run_is_told(self, connection: Connection) -> None:
        load_answer(connection, [FIRST, SECOND], until="2026-02-27")
        told: list[Change] = []
        said: list[Any] = [("2025-10-01", "2026-01-30", 31_000.0)]
        with connection.transaction(force_rollback=True):
            load_answer(connection, said, until="2026-02-28", on_change=told.append)
        assert [str(change) for change in told] == [
            "~ tb_macro_vintage GDP 2025-10-01 value 30000.0 -> 31000.0",
            "~ tb_macro_vintage GDP 2025-10-01 realtime_start 2026-02-27 -> None, value 30100.0 -> None",
        ]


def test_the_value_of_a_hole_is_asked_as_of_any_day(connection: Connection) -> None:
    """Known to be missing is an answer; not known yet is none."""
    load_series(connection, vintages(("2025-10-01", "2025-12-18", NAN), ("2025-11-01", "2026-01-13", 325.0)))
    asked = {day: observations(connection, "GDP", date.fromisoformat(day)) for day in ("2025-12-17", "2025-12-18")}
    assert [(str(row.base_date), row.value) for row in asked["2025-12-18"]] == [("2025-10-01", None)]
    assert asked["2025-12-17"] == []


def test_a_lost_revision_is_found(connection: Connection) -> None:
    load_answer(connection, [FIRST], until="2026-01-30")
    load_answer(connection, [("2025-10-01", "2026-01-30", 31_000.0)], until="2026-01-30")
    connection.execute("delete from tb_macro_revision")
    assert broken_invariants(connection, "macro") == ["run 1 of macro says it wrote 1 rows, the tables have 0"]
