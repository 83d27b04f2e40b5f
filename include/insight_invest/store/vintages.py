"""Loading macro vintages: what was known when. Call inside a transaction."""

from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest.store.copy import copy_columns
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Change, Counts, LoadContext
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd

_TYPES = {"base_date": "date", "realtime_start": "date", "value": "float8"}


def load_vintages(
    connection: Connection, vintages: "pd.DataFrame", context: LoadContext, *, macro_id: int, source: str
) -> Counts:
    """Add the ``vintages`` of one series that say something new; nothing stored is ever changed or deleted.

    ``vintages``: one row per (base_date, realtime_start), columns base_date, realtime_start, value; NaN means that the
    source says there is no value. A row that repeats what was known before its realtime_start is not a vintage: FRED
    clips realtime_start to the window that was asked for.
    """
    if vintages.empty:
        return Counts()
    connection.execute(
        "create temporary table if not exists stage_vintage "
        "(base_date date not null, realtime_start date not null, value double precision not null)"
    )
    connection.execute("truncate stage_vintage")
    staged = copy_columns(connection, "stage_vintage", _TYPES, {name: vintages[name].to_numpy() for name in _TYPES})
    rows = connection.execute(
        sql("merge_vintage"), {"macro_id": macro_id, "source": source, "run_id": context.run_id}
    ).fetchall()
    if context.on_change is not None:
        for fred, base_date, realtime_start, value in rows:
            assert isinstance(base_date, date)  # noqa: S101 (a date column)
            after = {"realtime_start": realtime_start, "value": value}
            context.on_change(Change("tb_macro_vintage", str(fred), base_date, None, after))
    return Counts(new=len(rows), unchanged=staged - len(rows), tickers={macro_id} if rows else set())


def last_vintage(connection: Connection, macro_id: int) -> date | None:
    """The newest realtime_start that FRED gave for the series; None where it has not been asked yet."""
    row = connection.execute(
        "select max(realtime_start) from tb_macro_vintage where macro_id = %s and source <> 'v2'", [macro_id]
    ).fetchone()
    return row[0] if row and isinstance(row[0], date) else None
