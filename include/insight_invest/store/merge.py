"""The general way of bars into tb_bar: by COPY into a temporary table, and from there only what differs."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from include.insight_invest.store.arrays import Array
from include.insight_invest.store.copy import copy_columns
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Change, Counts, LoadContext
from include.insight_invest.store.statements import sql

TYPES = {
    "meta_id": "int4",
    "trade_date": "date",
    "open": "float8",
    "high": "float8",
    "low": "float8",
    "close": "float8",
    "volume": "float8",
    "basis_date": "date",
}
VALUES = ("open", "high", "low", "close", "volume")


def merge_bars(
    connection: Connection, columns: Mapping[str, Array], parameters: Mapping[str, Any], context: LoadContext
) -> tuple[Counts, dict[int, date]]:
    """New rows in, changed rows over (the earlier to tb_bar_revision), others untouched but for becoming final.

    ``columns`` are those of TYPES. Returns the counts and, by meta_id, the first day that is new or changed.
    """
    connection.execute(sql("stage_bar"))
    connection.execute("truncate stage_bar")
    staged = copy_columns(connection, "stage_bar", TYPES, columns)
    connection.execute(sql("diff_bar"), parameters)
    connection.execute(sql("confirm_bar"), parameters)
    connection.execute("delete from diff_bar where outranked")
    if context.on_change is not None:
        _tell(connection, context)
    changed = connection.execute(sql("revise_bar"), parameters).rowcount
    connection.execute(sql("update_bar"), parameters)
    new = connection.execute(sql("insert_bar"), parameters).rowcount
    rows = connection.execute("select meta_id, min(trade_date) from diff_bar group by 1").fetchall()
    connection.execute("drop table diff_bar")
    firsts: dict[int, date] = dict(rows)  # type: ignore[arg-type]
    return Counts(new=new, changed=changed, unchanged=staged - new - changed, tickers=set(firsts)), firsts


def _tell(connection: Connection, context: LoadContext) -> None:
    assert context.on_change is not None  # noqa: S101 (the caller asked)
    with connection.cursor() as cursor:
        cursor.execute(sql("show_diff_bar"))
        for ticker, day, known, *values in cursor:
            assert isinstance(day, date)  # noqa: S101 (a date column)
            after = dict(zip(VALUES, values[:5], strict=True))
            before = dict(zip(VALUES, values[5:], strict=True)) if known else None
            context.on_change(Change("tb_bar", str(ticker), day, before, after))
