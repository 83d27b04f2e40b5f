"""Rows that the checks held back or repaired, as runs write them down and find them again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import LoadContext
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd

BY_SOURCE = "source"  # who decided where a later read did


def hold(
    connection: Connection, rows: Sequence[dict[str, Any]], context: LoadContext, *, source: str, currency: str
) -> list[dict[str, Any]]:
    """Put ``rows`` (checks.verdict.Checked.held) into quarantine; returns those of them that wait for a decision.

    The same row again, with the same close or value to seven figures, is the same row: it keeps its number and whatever
    was decided about it, and while nothing is its reason and its other fields are those of the last read.
    """
    return _keep(connection, rows, context, source=source, currency=currency, status="held")


def record_repairs(
    connection: Connection, rows: Sequence[dict[str, Any]], context: LoadContext, *, source: str, currency: str
) -> None:
    """Record what ``rows`` (Checked.repaired) were before their impossible fields were left out; each once."""
    _keep(connection, rows, context, source=source, currency=currency, status="repaired")


def close_superseded(
    connection: Connection,
    bars: "pd.DataFrame",
    actions: "pd.DataFrame",
    context: LoadContext,
    *,
    sources: Sequence[str],
    held: set[int],
) -> int:
    """Decide, in the name of the source, about held rows of which ``bars`` or ``actions`` are good ones; how many.

    ``sources``: the one that they came from, and those it goes before, of whose bars nobody needs to decide any more.
    ``held``: the tickers of which this very answer has rows held back.
    """
    agreeing = sorted({int(meta_id) for meta_id in bars["meta_id"].unique()} - held)
    asked = sorted({int(meta_id) for frame in (bars, actions) for meta_id in frame["meta_id"].unique()})
    waiting = {
        row[0]
        for row in connection.execute(
            "select distinct meta_id from tb_quarantine "
            "where status = 'held' and source = any (%s) and meta_id = any (%s)",
            [list(sources), asked],
        )
    }
    if not waiting:
        return 0
    bars, actions = bars[bars["meta_id"].isin(waiting)], actions[actions["meta_id"].isin(waiting)]
    return connection.execute(
        sql("supersede_held"),
        {
            "meta_id": [*bars["meta_id"].tolist(), *actions["meta_id"].tolist()],
            "trade_date": [*bars["trade_date"].tolist(), *actions["ex_date"].tolist()],
            "kind": ["bar"] * len(bars) + actions["kind"].tolist(),
            "value": [*bars["close"].tolist(), *actions["value"].tolist()],
            "agreeing": agreeing,
            "source": sources[0],
            "outranked": list(sources[1:]),
            "as_of": context.as_of,
        },
    ).rowcount


def rejected(connection: Connection, meta_ids: Sequence[int], *, source: str) -> "pd.DataFrame":
    """What an operator decided not to believe of ``source``'s rows of ``meta_ids``: meta_id, trade_date, kind, value.

    ``value`` is the close of a bar, NaN where it has none. A row that its source corrected is not among them: it may be
    right on another day.
    """
    import pandas as pd

    rows = connection.execute(
        "select meta_id, trade_date, kind, coalesce(payload ->> 'close', payload ->> 'value')::double precision "
        "from tb_quarantine where status = 'rejected' and decided_by <> %s and source = %s and meta_id = any (%s)",
        [BY_SOURCE, source, list(meta_ids)],
    ).fetchall()
    found = pd.DataFrame.from_records(rows, columns=["meta_id", "trade_date", "kind", "value"])
    return found.astype({"meta_id": int, "trade_date": "datetime64[ns]", "kind": object, "value": float})


def _keep(
    connection: Connection,
    rows: Sequence[dict[str, Any]],
    context: LoadContext,
    *,
    source: str,
    currency: str,
    status: str,
) -> list[dict[str, Any]]:
    if not rows:
        return []
    columns = {name: [row[name] for row in rows] for name in ("meta_id", "ticker", "trade_date", "kind", "reason")}
    found = connection.execute(
        sql("hold_row"),
        {
            **columns,
            "payload": [Jsonb({**row["payload"], "currency": currency}) for row in rows],
            "proposal": [Jsonb(row["proposal"]) if row["proposal"] else None for row in rows],
            "source": source,
            "status": status,
            "run_id": context.run_id,
            "as_of": context.as_of,
        },
    ).fetchall()
    return [row for row, (now,) in zip(rows, found, strict=True) if now == status]
