"""Where two sources differ by more than the tolerance (tb_disagreement): found once, settled when they agree."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Change, LoadContext
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd


_KEY = ("meta_id", "trade_date", "field", "source", "other_source")


@dataclass(frozen=True)
class Disagreement:
    """One row of tb_disagreement, and what is stored now of the field (None: no bar)."""

    meta_id: int
    ticker: str
    trade_date: date
    field: str
    source: str
    value: float
    other_source: str
    other_value: float
    found_at: datetime
    stored: float | None


def record(connection: Connection, rows: "pd.DataFrame", context: LoadContext) -> int:
    """Add ``rows``; returns how many are new or changed. One that was settled before is open again.

    ``rows``: meta_id, ticker, trade_date, field (close, volume), source, value, other_source, other_value.
    """
    names = (*_KEY, "value", "other_value")
    columns = {name: rows[name].tolist() for name in names}
    written = connection.execute(
        sql("record_disagreement"), {**columns, "run_id": context.run_id, "as_of": context.as_of}
    ).fetchall()
    if context.on_change is not None:
        for ticker, day, field, source, value, other_source, other_value in written:
            assert isinstance(day, date)  # noqa: S101 (a date column)
            values = {str(source): value, str(other_source): other_value}
            context.on_change(Change("tb_disagreement", f"{ticker} {field}", day, None, values))
    return len(written)


def settle(connection: Connection, rows: "pd.DataFrame", context: LoadContext) -> int:
    """Close the open disagreements of ``rows`` (meta_id, trade_date, field, source, other_source); returns how many."""
    columns = {name: rows[name].tolist() for name in _KEY}
    return connection.execute(sql("settle_disagreement"), {**columns, "as_of": context.as_of}).rowcount


def open_ones(connection: Connection, iso_code: str | None = None) -> list[Disagreement]:
    """The disagreements of one country, or of all, that are not settled; the newest session first."""
    cursor = connection.cursor(row_factory=class_row(Disagreement))
    return cursor.execute(sql("open_disagreements"), {"iso_code": iso_code}).fetchall()


def count_open(connection: Connection) -> int:
    """How many disagreements are not settled."""
    row = connection.execute("select count(*) from tb_disagreement where settled_at is null").fetchone()
    assert row is not None  # noqa: S101 (count)
    return int(str(row[0]))
