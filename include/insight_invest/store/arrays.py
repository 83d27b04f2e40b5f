"""Arrays of a query's row as NumPy arrays, in PostgreSQL's own binary layout and with no Python loop.

Source of the layout: PostgreSQL's array_send: dimensions, whether there are nulls, the type, then per dimension its
length and lower bound, then per element its length and value, all big-endian.
"""

import struct
from typing import Any, ClassVar, LiteralString

import numpy as np
from psycopg.abc import Buffer, Params
from psycopg.adapt import Loader
from psycopg.pq import Format

from include.insight_invest.store.database import Connection

type Array = np.ndarray[Any, np.dtype[Any]]

_HEAD = struct.Struct(">iiIii")


class _ArrayLoader(Loader):
    """One-dimensional arrays without nulls; a query writes ``coalesce`` where there may be some."""

    format = Format.BINARY
    element: ClassVar[str]

    def load(self, data: Buffer) -> Array:
        layout = np.dtype([("length", ">i4"), ("value", self.element)])
        if len(data) < _HEAD.size:
            return np.empty(0, layout["value"]).astype(layout["value"].newbyteorder("="))
        _, has_null, *_ = _HEAD.unpack_from(data)
        if has_null:
            raise ValueError("an array with nulls has no NumPy counterpart here")
        values = np.frombuffer(data, layout, offset=_HEAD.size)["value"]
        return values.astype(values.dtype.newbyteorder("="))


class _Floats(_ArrayLoader):
    element = ">f8"


class _Integers(_ArrayLoader):
    element = ">i4"


class _Booleans(_ArrayLoader):
    element = "?"


_LOADERS = {"float8": _Floats, "int4": _Integers, "bool": _Booleans, "date": _Integers}


def arrays(connection: Connection, statement: LiteralString, parameters: Params | None = None) -> list[Array] | None:
    """The only row of ``statement``, every column of which is an array; None where it is one of no rows.

    Arrays of float8, int4, bool and date are NumPy's, of text a list. Days are int32 since PostgreSQL's day 0, as
    ``copy.days_of`` gives them; -infinity is the smallest of them.
    """
    with connection.cursor(binary=True) as cursor:
        for name, loader in _LOADERS.items():
            cursor.adapters.register_loader(connection.adapters.types[name].array_oid, loader)
        row = cursor.execute(statement, parameters).fetchone()
    return None if row is None or row[0] is None else list(row)  # type: ignore[arg-type]
