"""Macro vintages: what was known when, and what is known of a series itself. Load inside a transaction."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from include.insight_invest.store.copy import copy_columns
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Change, Counts, LoadContext
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd

_TYPES = {"base_date": "date", "realtime_start": "date", "value": "float8"}


class Status(StrEnum):
    """What a series is to FRED; as in tb_macro."""

    LIVE = "live"
    UNKNOWN = "unknown"  # FRED does not know the id
    DISCONTINUED = "discontinued"  # FRED's title, or a long silence, says that it has ended


@dataclass(frozen=True)
class Known:
    """What is known of one series.

    ``asked`` is the newest as_of at which all of its observations were asked for, None where they never were;
    ``newest`` the newest realtime_start that FRED gave, None where it gave none.
    """

    macro_id: int
    status: str = Status.LIVE
    status_since: datetime | None = None
    asked: datetime | None = None
    newest: date | None = None


def load_vintages(
    connection: Connection,
    vintages: "pd.DataFrame",
    context: LoadContext,
    *,
    macro_id: int,
    source: str,
    until: date | None = None,
    known_until: date | None = None,
) -> Counts:
    """Make the store say of one series what an answer says; a base_date that the answer lacks keeps all it has.

    ``vintages``: one row per (base_date, realtime_start), columns base_date, realtime_start, value; NaN means that the
    source says there is no value. ``until`` is the last day of the window that was asked for (None: the newest
    realtime_start of the rows), ``known_until`` the last day of all windows before it. A vintage that the answer
    contradicts goes to tb_macro_revision: changed where another takes its place, withdrawn where none does. Only news
    is written: FRED clips realtime_start to the window, and what repeats the vintage before it is none.
    """
    if vintages.empty:
        return Counts()
    connection.execute(
        "create temporary table if not exists stage_vintage "
        "(base_date date not null, realtime_start date not null, value double precision not null)"
    )
    connection.execute("truncate stage_vintage")
    staged = copy_columns(connection, "stage_vintage", _TYPES, {name: vintages[name].to_numpy() for name in _TYPES})
    connection.execute("analyze stage_vintage")
    parameters = {
        "macro_id": macro_id,
        "source": source,
        "run_id": context.run_id,
        "as_of": context.as_of,
        "until": max(until or date.min, vintages["realtime_start"].max().date()),
        "known_until": known_until,
    }
    rows = connection.execute(sql("merge_vintage"), parameters).fetchall()
    if context.on_change is not None:
        _tell(rows, context.on_change)
    kinds = Counter((origin, was_there) for *_, origin, was_there in rows)
    new = sum(count for (_, was_there), count in kinds.items() if not was_there)
    said = sum(count for (origin, _), count in kinds.items() if origin == "answer")
    return Counts(new=new, changed=len(rows) - new, unchanged=staged - said, tickers={macro_id} if rows else set())


def _tell(rows: Sequence[tuple[object, ...]], on_change: Callable[[Change], None]) -> None:
    for fred, base_date, start, value, earlier, origin, was_there in rows:
        assert isinstance(base_date, date)  # noqa: S101 (a date column)
        before = {"realtime_start": start, "value": earlier} if was_there else None
        after = {"realtime_start": start, "value": value} if origin else {"realtime_start": None, "value": None}
        on_change(Change("tb_macro_vintage", str(fred), base_date, before, after))


def known_series(connection: Connection, job: str) -> dict[int, Known]:
    """What is known of every series of tb_macro that names a FRED id; ``job`` is the one that asks for them."""
    rows = connection.cursor(row_factory=class_row(Known)).execute(sql("known_series"), {"job": job})
    return {known.macro_id: known for known in rows}


def set_status(connection: Connection, macro_id: int, status: Status, as_of: datetime) -> None:
    """Remember since when a series is what it is."""
    connection.execute(
        "update tb_macro set status = %(status)s, status_since = %(as_of)s "
        "where macro_id = %(macro_id)s and status <> %(status)s",
        {"status": str(status), "as_of": as_of, "macro_id": macro_id},
    )
