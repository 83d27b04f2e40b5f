"""Loading bars and corporate actions. Call inside a transaction, actions before the bars that they restate."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest.store.copy import copy_columns
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Change, Counts, LoadContext
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd

_TYPES = {
    "meta_id": "int4",
    "trade_date": "date",
    "open": "float8",
    "high": "float8",
    "low": "float8",
    "close": "float8",
    "volume": "float8",
    "basis_date": "date",
}
_VALUES = ("open", "high", "low", "close", "volume")
# Twice what a quote restated for a split may be off by: Naver cuts some to the whole won below (26,459 for 1,323,000
# / 50, and so 152 of 3,748 prices of 005930 before its 50:1), where a rounded one is off by half a won at most.
_UNIT = {"KRW": 2.0}


def load_bars(
    connection: Connection,
    bars: "pd.DataFrame",
    context: LoadContext,
    *,
    source: str,
    currency: str,
    sources: Sequence[str],
    settled_before: date,
    volume_is_adjusted: bool = True,
) -> Counts:
    """Merge ``bars`` into tb_bar: new rows in, changed rows over (the earlier to tb_bar_revision), others untouched.

    ``bars``: one row per (meta_id, trade_date), columns meta_id, trade_date, open, high, low, close (money per share of
    basis_date), volume (shares), basis_date; NaN where the source gives no value, which never overwrites one.
    ``sources`` ranks the sources, best first. A new bar of a session before ``settled_before`` is final at once.
    """
    if bars.empty:
        return Counts()
    connection.execute(sql("stage_bar"))
    connection.execute("truncate stage_bar")
    # Without these a chunk of the size of a batch scans the whole target instead of looking its keys up.
    connection.execute("set local jit = off; set local enable_hashjoin = off; set local enable_mergejoin = off")
    staged = copy_columns(connection, "stage_bar", _TYPES, {name: bars[name].to_numpy() for name in _TYPES})
    parameters = {
        "source": source,
        "sources": list(sources),
        # A market's last source only stands in for the others: their row takes its place, also where it says the same.
        "fallback": sources[-1] if len(sources) > 1 else "",
        "currency": currency,
        "unit": _UNIT.get(currency, 0.0),
        "volume_is_adjusted": volume_is_adjusted,
        "run_id": context.run_id,
        "as_of": context.as_of,
        "settled_before": settled_before,
    }
    connection.execute(sql("diff_bar"), parameters)
    connection.execute(sql("confirm_bar"), parameters)
    connection.execute("delete from diff_bar where outranked")
    if context.on_change is not None:
        _tell(connection, context)
    changed = connection.execute(sql("revise_bar"), parameters).rowcount
    connection.execute(sql("update_bar"), parameters)
    new = connection.execute(sql("insert_bar"), parameters).rowcount
    tickers = {_integer(row[0]) for row in connection.execute("select distinct meta_id from diff_bar")}
    connection.execute("drop table diff_bar")
    return Counts(new=new, changed=changed, unchanged=staged - new - changed, tickers=tickers)


def count_bars(connection: Connection, meta_ids: Sequence[int], sources: Sequence[str], until: date) -> dict[date, int]:
    """How many of ``meta_ids`` have a bar of one of ``sources``, per session with any of 100 days before ``until``."""
    rows = connection.execute(
        "select trade_date, count(*) from tb_bar where meta_id = any (%s) and source = any (%s) "
        "and trade_date < %s and trade_date >= %s::date - 100 group by 1",
        [list(meta_ids), list(sources), until, until],
    ).fetchall()
    return {_day(day): _integer(count) for day, count in rows}


def final_bars(connection: Connection, meta_ids: Sequence[int], days: Sequence[date], *, source: str) -> set[int]:
    """Those of ``meta_ids`` with a final bar of ``source``, or a known gap, on each of ``days`` since their first."""
    rows = connection.execute(
        sql("final_bars"), {"meta_ids": list(meta_ids), "days": list(days), "source": source}
    ).fetchall()
    return {_integer(row[0]) for row in rows}


def load_actions(
    connection: Connection, actions: "pd.DataFrame", context: LoadContext, *, source: str, currency: str
) -> Counts:
    """Merge ``actions`` into tb_action; a value that a source corrects keeps its earlier one in ``earlier``.

    ``actions``: one row per (meta_id, ex_date, kind), columns meta_id, ex_date, kind (split, dividend, capital_gain),
    value, basis_date.
    """
    counts = Counts()
    if actions.empty:
        return counts
    splits_first = actions.assign(order=actions["kind"] != "split").sort_values(["order", "meta_id", "ex_date"])
    columns = {name: splits_first[name].tolist() for name in ("meta_id", "ex_date", "kind", "value", "basis_date")}
    rows = connection.execute(
        sql("merge_action"),
        {
            **columns,
            "source": source,
            "currency": currency,
            "as_of": context.as_of,
            "run_id": context.run_id,
        },
    ).fetchall()
    for meta_id, ticker, ex_date, kind, value, before, inserted in rows:
        counts.actions_new += bool(inserted)
        counts.actions_changed += not inserted
        counts.tickers.add(_integer(meta_id))
        if context.on_change is not None:
            old = None if inserted else {"value": before}
            context.on_change(Change("tb_action", f"{ticker} {kind}", _day(ex_date), old, {"value": value}))
    return counts


def _tell(connection: Connection, context: LoadContext) -> None:
    assert context.on_change is not None  # noqa: S101 (the caller asked)
    with connection.cursor() as cursor:
        cursor.execute(sql("show_diff_bar"))
        for ticker, day, known, *values in cursor:
            after = dict(zip(_VALUES, values[:5], strict=True))
            before = dict(zip(_VALUES, values[5:], strict=True)) if known else None
            context.on_change(Change("tb_bar", str(ticker), _day(day), before, after))


def _integer(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 (an integer column)
    return value


def _day(value: object) -> date:
    assert isinstance(value, date)  # noqa: S101 (a date column)
    return value
