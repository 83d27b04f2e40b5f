"""Binary COPY of NumPy columns: PostgreSQL's own row layout, made with one record array and no Python loop.

Source of the layout: PostgreSQL manual, COPY, "Binary Format": a header, then per row a 16-bit field count and per
field a 32-bit length and the value, all big-endian, then a trailer of -1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psycopg

from include.insight_invest.store.database import Connection

_HEADER = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
_TRAILER = b"\xff\xff"
_EPOCH = np.datetime64("2000-01-01", "D")  # PostgreSQL's day 0
_TYPES = {"int4": ">i4", "int8": ">i8", "float8": ">f8", "date": ">i4"}

CHUNK_ROWS = 50_000

type Column = Sequence[Any] | np.ndarray[Any, np.dtype[Any]]


def copy_columns(connection: Connection, table: str, types: Mapping[str, str], columns: Mapping[str, Column]) -> int:
    """COPY equally long ``columns`` into ``table`` and return the number of rows.

    ``types`` gives each column's PostgreSQL type (int4, int8, float8, date), in order. There are no nulls in this
    layout: a float8 NaN stands for one, and the statement that reads the table turns it back (``nullif(x, 'NaN')``).
    """
    rows = _records(types, columns)
    names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, types))
    statement = psycopg.sql.SQL("copy {} ({}) from stdin (format binary)").format(psycopg.sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEADER)
        for start in range(0, len(rows), CHUNK_ROWS):
            copy.write(rows[start : start + CHUNK_ROWS].tobytes())
        copy.write(_TRAILER)
    return len(rows)


def _records(types: Mapping[str, str], columns: Mapping[str, Column]) -> np.ndarray[Any, np.dtype[np.void]]:
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in types.items():
        layout += [(f"{name}_length", ">i4"), (name, _TYPES[kind])]
    rows = np.empty(len(next(iter(columns.values()))), dtype=layout)
    rows["fields"] = len(types)
    for name, kind in types.items():
        values = np.asarray(columns[name])
        if kind == "date":
            values = (values.astype("datetime64[D]") - _EPOCH).astype(np.int32)
        rows[f"{name}_length"] = rows.dtype[name].itemsize
        rows[name] = values
    return rows
