"""Loading corporate actions. Call inside a transaction, before the bars that they restate."""

from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Change, Counts, LoadContext
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd


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
        assert isinstance(meta_id, int)  # noqa: S101 (an integer column)
        assert isinstance(ex_date, date)  # noqa: S101 (a date column)
        counts.actions_new += bool(inserted)
        counts.actions_changed += not inserted
        counts.tickers.add(meta_id)
        if context.on_change is not None:
            old = None if inserted else {"value": before}
            context.on_change(Change("tb_action", f"{ticker} {kind}", ex_date, old, {"value": value}))
    return counts
