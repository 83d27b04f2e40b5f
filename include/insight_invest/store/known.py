"""What is stored of the tickers of an answer: what the checks measure the answer against."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd


def known_bars(connection: Connection, bars: "pd.DataFrame", *, source: str) -> list[tuple[object, ...]]:
    """The stored bars of ``source`` on the sessions that ``bars`` (meta_id, trade_date) span, and the last one before.

    Rows of (meta_id, trade_date, open, high, low, close, volume, basis_date, currency), in the shares of basis_date.
    """
    if bars.empty:
        return []
    span = bars.groupby("meta_id")["trade_date"].agg(["min", "max"])
    return connection.execute(
        sql("known_bar"),
        {
            "meta_id": span.index.tolist(),
            "since": span["min"].dt.date.tolist(),
            "until": span["max"].dt.date.tolist(),
            "source": source,
        },
    ).fetchall()


def known_actions(connection: Connection, meta_ids: Sequence[int]) -> list[tuple[object, ...]]:
    """The stored actions of ``meta_ids``: rows of (meta_id, ex_date, kind, value, basis_date)."""
    return connection.execute(
        "select meta_id, ex_date, kind, value, basis_date from tb_action where meta_id = any (%s)", [list(meta_ids)]
    ).fetchall()
