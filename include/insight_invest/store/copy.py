"""Binary COPY of NumPy columns: PostgreSQL's own row layout, made with one record array and no Python loop.

Source of the layout: PostgreSQL manual, COPY, "Binary Format": a header, then per row a 16-bit field count and per
field a 32-bit length and the value, all big-endian, then a trailer of -1.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import psycopg

from include.insight_invest.store.database import Connection

_HEADER = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
_TRAILER = b"\xff\xff"
DAY_0 = np.datetime64("2000-01-01", "D")  # PostgreSQL's
_INSTANT_0 = datetime(2000, 1, 1, tzinfo=UTC)
_TYPES = {"int4": ">i4", "int8": ">i8", "float8": ">f8", "date": ">i4", "timestamptz": ">i8", "bool": ">i1"}

CHUNK_ROWS = 50_000

type Column = Sequence[Any] | np.ndarray[Any, np.dtype[Any]]
type Same = str | int | float | bool | datetime  # one value for all rows


def copy_columns(
    connection: Connection,
    table: str,
    types: Mapping[str, str],
    columns: Mapping[str, Column],
    same: Mapping[str, Same] | None = None,
) -> int:
    """COPY equally long ``columns`` into ``table`` and return the number of rows.

    ``types`` gives each column's PostgreSQL type (int4, int8, float8, date, bool, timestamptz; text where all rows have
    the same value), in order; ``same`` the columns that have one value for all rows. There are no nulls in this
    layout: a float8 NaN stands for one, and the statement that reads the table turns it back (``nullif(x, 'NaN')``).
    """
    same = same or {}
    count = len(next(iter(columns.values())))
    rows = _template(types, same, min(count, CHUNK_ROWS))
    names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, types))
    statement = psycopg.sql.SQL("copy {} ({}) from stdin (format binary)").format(psycopg.sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEADER)
        for start in range(0, count, CHUNK_ROWS):
            chunk = rows[: min(CHUNK_ROWS, count - start)]
            for name, values in columns.items():
                part = values[start : start + len(chunk)]
                chunk[name] = days_of(part) if types[name] == "date" else part
            copy.write(chunk.tobytes())
        copy.write(_TRAILER)
    return count


def days_of(values: Column) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Dates, or instants of midnight, as PostgreSQL has them: days since 2000-01-01. Such days stay what they are."""
    days = np.asarray(values)
    if days.dtype == np.int32:
        return days
    days = days.astype("datetime64[D]")
    if np.isnat(days).any():
        raise ValueError("a row without a date")  # it would be 2000-01-01
    return (days - DAY_0).astype(np.int32)


def date_list(days: np.ndarray[Any, np.dtype[np.int32]]) -> list[date]:
    """The other way round: such days as dates."""
    return (DAY_0 + days).tolist()  # type: ignore[no-any-return]


def _template(types: Mapping[str, str], same: Mapping[str, Same], count: int) -> np.ndarray[Any, np.dtype[np.void]]:
    """``count`` rows with all that is the same in each: field counts, lengths, and the values of ``same``."""
    values = {name: _encoded(value) for name, value in same.items()}
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in types.items():
        layout += [(f"{name}_length", ">i4"), (name, f"S{len(values[name])}" if kind == "text" else _TYPES[kind])]  # type: ignore[arg-type]
    rows = np.empty(count, dtype=layout)
    rows["fields"] = len(types)
    for name in types:
        rows[f"{name}_length"] = rows.dtype[name].itemsize
        if name in values:
            rows[name] = values[name]
    return rows


def _encoded(value: Same) -> bytes | float:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, datetime):
        since = value - _INSTANT_0
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return value
