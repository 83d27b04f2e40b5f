"""Loading bars. Call inside a transaction, after the actions that restate them.

A row takes the shortest way that is right for it. A whole bar after its ticker's newest goes straight into tb_bar, by
COPY. One that says what is stored goes nowhere: the stored bars are read, as arrays, at a fraction of what sending them
would cost. Whatever else there is, is merged (``merge.py``).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from include.insight_invest.store.arrays import Array
from include.insight_invest.store.batch import Batch, is_new, known_of, read_batch
from include.insight_invest.store.copy import copy_columns, date_list, days_of
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Counts, LoadContext
from include.insight_invest.store.merge import TYPES, merge_bars
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd

_STORED = {
    **TYPES,
    "volume": "int8",
    "source": "text",
    "currency": "text",
    "observed_at": "timestamptz",
    "final": "bool",
    "run_id": "int8",
}
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
    """Bring ``bars`` into tb_bar: new rows in, changed rows over (the earlier to tb_bar_revision), others untouched.

    ``bars``: one row per (meta_id, trade_date), columns meta_id, trade_date, open, high, low, close (money per share of
    basis_date), volume (shares), basis_date; NaN where the source gives no value, which never overwrites one.
    ``sources`` ranks the sources, best first. A new bar of a session before ``settled_before`` is final at once.
    """
    if bars.empty:
        return Counts()
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
    batch = read_batch(connection, bars)
    # Without these a chunk of the size of a batch scans the whole target instead of looking its keys up.
    connection.execute("set local jit = off; set local enable_hashjoin = off; set local enable_mergejoin = off")
    known = known_of(connection, batch, parameters)
    _confirm(connection, batch.rows(known.confirming))
    # A dry run tells every row, which is the merge's to do.
    new = is_new(batch, volume_is_adjusted=volume_is_adjusted) & (context.on_change is None)
    counts = Counts(unchanged=int(known.same.sum()))
    firsts: dict[int, date] = {}
    if new.any():
        counts.add(_insert(connection, batch.rows(new), parameters))
    if not (new | known.same).all():
        merged, firsts = merge_bars(connection, batch.rows(~(new | known.same)), parameters, context)
        counts.add(merged)
    if eves := _before_a_dividend(batch, new, firsts):
        connection.execute("select insight_adjust(%s)", [eves])
    # What else this transaction asks, another batch of a dry run too, needs them.
    connection.execute(
        "set local jit to default; set local enable_hashjoin to default; set local enable_mergejoin to default"
    )
    return counts


def _confirm(connection: Connection, rows: Mapping[str, Array]) -> None:
    if len(rows["meta_id"]):
        values = {"meta_ids": rows["meta_id"].tolist(), "days": date_list(rows["trade_date"])}
        connection.execute(sql("confirm_same"), values)


def _insert(connection: Connection, rows: Mapping[str, Array], parameters: Mapping[str, Any]) -> Counts:
    settled_before = days_of([parameters["settled_before"]])[0]
    count = copy_columns(
        connection,
        "tb_bar",
        _STORED,
        {**rows, "volume": np.rint(rows["volume"]), "final": rows["trade_date"] < settled_before},
        {
            "source": parameters["source"],
            "currency": parameters["currency"],
            "observed_at": parameters["as_of"],
            "run_id": parameters["run_id"],
        },
    )
    return Counts(new=count, tickers=set(np.unique(rows["meta_id"]).tolist()))


def _before_a_dividend(batch: Batch, new: Array, firsts: Mapping[int, date]) -> list[int]:
    """The tickers with a row that was written and may be the eve of an ex-date: its close is in their factors."""
    eves = new & (batch.columns["trade_date"] < batch.dividend[batch.of])
    dividend = dict(zip(batch.ids.tolist(), batch.dividend.tolist(), strict=True))
    merged = {meta_id for meta_id, first in firsts.items() if days_of([first])[0] < dividend[meta_id]}
    return sorted(merged | set(batch.ids[np.unique(batch.of[eves])].tolist()))


def count_bars(connection: Connection, meta_ids: Sequence[int], sources: Sequence[str], until: date) -> dict[date, int]:
    """How many of ``meta_ids`` have a bar of one of ``sources``, per session with any of 100 days before ``until``."""
    rows = connection.execute(
        "select trade_date, count(*) from tb_bar where meta_id = any (%s) and source = any (%s) "
        "and trade_date < %s and trade_date >= %s::date - 100 group by 1",
        [list(meta_ids), list(sources), until, until],
    ).fetchall()
    return dict(rows)  # type: ignore[arg-type]


def final_bars(connection: Connection, meta_ids: Sequence[int], days: Sequence[date], *, source: str) -> set[int]:
    """Those of ``meta_ids`` with a final bar of ``source``, or a known gap, on each of ``days`` since their first."""
    values = {"meta_ids": list(meta_ids), "days": list(days), "source": source}
    return {int(str(row[0])) for row in connection.execute(sql("final_bars"), values)}
