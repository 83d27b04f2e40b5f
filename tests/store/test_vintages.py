"""Loading macro vintages: what was known when."""

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Change, Counts
from include.insight_invest.store.vintages import last_vintage
from tests.store.rows import NAN, load_series, macro, stored_vintages, vintages

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


def test_the_stored_vintage_of_that_very_day_stands(connection: Connection) -> None:
    load_series(connection, vintages(FIRST))
    other = ("2025-10-01", "2026-01-30", 31_000.0)
    assert load_series(connection, vintages(other)) == Counts(unchanged=1)
    assert stored_vintages(connection) == [(*FIRST, "fred")]


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


def test_last_vintage_is_where_the_next_run_asks_from(connection: Connection) -> None:
    assert last_vintage(connection, 1) is None
    load_series(connection, vintages(FIRST, SECOND, ("2025-07-01", "2025-10-30", 29_000.0)))
    assert last_vintage(connection, 1) == date(2026, 2, 27)


def test_all_393_vintages_of_gdp(connection: Connection, shared_data: Path) -> None:
    """3,199 rows as FRED has them: all are kept, each day's knowledge can be asked, and asking again adds nothing."""
    rows = json.loads((shared_data / "fred" / "GDP.all_releases.json").read_bytes())["observations"]
    frame = pd.DataFrame(
        {
            "base_date": pd.to_datetime([row["date"] for row in rows]),
            "realtime_start": pd.to_datetime([row["realtime_start"] for row in rows]),
            "value": pd.to_numeric(pd.Series([row["value"] for row in rows]), errors="coerce"),
        }
    )
    assert load_series(connection, frame) == Counts(new=3199, tickers={1})
    assert load_series(connection, frame) == Counts(unchanged=3199)
    served = json.loads((shared_data / "fred" / "GDP.observations.json").read_bytes())["observations"]
    shown = dict(newest(connection))
    assert shown == {row["date"]: None if row["value"] == "." else float(row["value"]) for row in served}
    known = json.loads((shared_data / "fred" / "GDP.asof.json").read_bytes())["observations"]  # on 2019-01-01
    expected = [
        (row["date"], row["realtime_start"], None if row["value"] == "." else float(row["value"]), "fred")
        for row in known
    ]
    stored = [row for row in stored_vintages(connection) if row[1] <= "2019-01-01"]
    assert sorted(stored, key=str) == sorted(expected, key=str)


def test_gdp_in_pieces_is_gdp_at_once(connection: Connection, shared_data: Path) -> None:
    """Asked a few vintages at a time, each answer clipped to its window, the store ends the same."""
    rows = json.loads((shared_data / "fred" / "GDP.all_releases.json").read_bytes())["observations"]
    valid = [(row["date"], row["realtime_start"], row["realtime_end"], row["value"]) for row in rows]
    windows = [("1776-07-04", "1999-12-31"), ("2000-01-01", "2015-06-30"), ("2015-07-01", "9999-12-31")]
    for start, end in windows:
        clipped = [
            (day, max(since, start), NAN if value == "." else float(value))
            for day, since, until, value in valid
            if since <= end and until >= start
        ]
        load_series(connection, vintages(*clipped))
    expected = [(day, since, None if value == "." else float(value), "fred") for day, since, _, value in sorted(valid)]
    assert sorted(stored_vintages(connection), key=str) == sorted(expected, key=str)
