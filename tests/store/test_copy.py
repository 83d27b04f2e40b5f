"""Binary COPY of columns."""

from datetime import date

import numpy as np
import pytest

from include.insight_invest.store import copy
from include.insight_invest.store.copy import copy_columns
from include.insight_invest.store.database import Connection

TYPES = {"small": "int4", "large": "int8", "number": "float8", "day": "date"}


@pytest.fixture
def target(connection: Connection) -> Connection:
    connection.execute("create temporary table target (small int4, large int8, number float8, day date)")
    return connection


def test_every_type_at_its_ends(target: Connection) -> None:
    columns = {
        "small": np.array([-(2**31), 2**31 - 1]),
        "large": np.array([-(2**63), 2**63 - 1]),
        "number": np.array([-1.7976931348623157e308, 5e-324]),
        "day": np.array(["1600-01-01", "9999-12-31"], "datetime64[D]"),
    }
    assert copy_columns(target, "target", TYPES, columns) == 2
    assert target.execute("select * from target").fetchall() == [
        (-(2**31), -(2**63), -1.7976931348623157e308, date(1600, 1, 1)),
        (2**31 - 1, 2**63 - 1, 5e-324, date(9999, 12, 31)),
    ]


def test_days_may_come_as_instants_of_midnight_and_as_python_dates(target: Connection) -> None:
    copy_columns(target, "target", {"day": "date"}, {"day": np.array(["1999-12-31", "2026-03-19"], "datetime64[ns]")})
    copy_columns(target, "target", {"day": "date"}, {"day": [date(2000, 1, 1)]})
    assert [str(row[0]) for row in target.execute("select day from target")] == [
        "1999-12-31",
        "2026-03-19",
        "2000-01-01",
    ]


def test_nan_stands_for_null(target: Connection) -> None:
    copy_columns(target, "target", {"number": "float8"}, {"number": np.array([1.5, np.nan])})
    assert target.execute("select nullif(number, 'NaN') from target").fetchall() == [(1.5,), (None,)]


@pytest.mark.parametrize("rows", [0, 1, copy.CHUNK_ROWS, copy.CHUNK_ROWS + 1])
def test_any_number_of_rows(target: Connection, rows: int) -> None:
    assert copy_columns(target, "target", {"small": "int4"}, {"small": np.arange(rows)}) == rows
    assert target.execute("select count(distinct small), max(small) from target").fetchone() == (
        rows,
        rows - 1 if rows else None,
    )


def test_a_row_without_a_date(target: Connection) -> None:
    """It would be 2000-01-01."""
    with pytest.raises(ValueError, match="a row without a date"):
        copy_columns(target, "target", {"day": "date"}, {"day": np.array(["2026-01-05", "NaT"], "datetime64[D]")})
