"""What is stored of the tickers of an answer: what the checks measure the answer against."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd


def known_bars(connection: Connection, spans: "pd.DataFrame", *, source: str) -> list[tuple[Any, ...]]:
    """The stored bars of ``source`` in ``spans``, and of whatever source the last one before each.

    ``spans``: since and until (days), one row a ticker, by meta_id. Rows of (meta_id, trade_date, open, high, low,
    close, volume, basis_date, currency, run_id), in the shares of basis_date.
    """
    if spans.empty:
        return []
    return connection.execute(
        sql("known_bar"),
        {
            "meta_id": spans.index.tolist(),
            "since": spans["since"].dt.date.tolist(),
            "until": spans["until"].dt.date.tolist(),
            "source": source,
        },
    ).fetchall()


def known_actions(connection: Connection, meta_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """The stored actions of ``meta_ids``: rows of (meta_id, ex_date, kind, value, basis_date, run_id)."""
    return connection.execute(
        "select meta_id, ex_date, kind, value, basis_date, run_id from tb_action where meta_id = any (%s)",
        [list(meta_ids)],
    ).fetchall()


def late_split_tickers(connection: Connection, answered: Sequence[tuple[int, object]]) -> set[int]:
    """Those of the splits (meta_id, ex_date) whose day is stored already and which are not: their tickers."""
    if not answered:
        return set()
    rows = connection.execute(
        """
        select q.meta_id
        from unnest(%s::integer[], %s::date[]) as q (meta_id, ex_date)
        where not exists (
            select from tb_action as a where a.meta_id = q.meta_id and a.kind = 'split' and a.ex_date = q.ex_date)
          and exists (
              select from tb_bar as b
              where insight_block(b.meta_id) = insight_block(q.meta_id) and b.meta_id = q.meta_id
                and b.trade_date >= q.ex_date)
        """,
        [[meta_id for meta_id, _ in answered], [day for _, day in answered]],
    ).fetchall()
    return {row[0] for row in rows if isinstance(row[0], int)}
