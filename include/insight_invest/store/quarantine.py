"""Rows that were held back or repaired, and what was decided about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg.types.json import Jsonb

from include.insight_invest.errors import UsageError
from include.insight_invest.store import ledger
from include.insight_invest.store.bars import load_actions, load_bars
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Counts, LoadContext
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd

_VALUES = ("open", "high", "low", "close", "volume")
_COLUMNS: LiteralString = (
    "quarantine_id, meta_id, ticker, trade_date, kind, source, reason, payload, proposal, status, held_at, "
    "decided_at, decided_by, note"
)
# Naver quotes prices in today's shares and volume as it was traded.
_VOLUME_AS_TRADED = ("naver",)


@dataclass(frozen=True)
class Held:
    """One row of tb_quarantine. ``trade_date`` of a split or dividend is its ex-date."""

    quarantine_id: int
    meta_id: int
    ticker: str
    trade_date: date
    kind: str  # bar, split, dividend, capital_gain
    source: str
    reason: str
    payload: dict[str, Any]
    proposal: dict[str, Any] | None  # what the row would be without the damage that the check names
    status: str
    held_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    note: str | None


def hold(
    connection: Connection, rows: Sequence[dict[str, Any]], context: LoadContext, *, source: str, currency: str
) -> list[dict[str, Any]]:
    """Put ``rows`` (checks.verdict.Checked.held) into quarantine; returns those of them that wait for a decision.

    The same row again is the same row: it keeps its number and whatever was decided about it.
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
    source: str,
    held: set[int],
) -> int:
    """Decide, in the name of the source, about held rows of which ``bars`` or ``actions`` are good ones; how many.

    ``held``: the tickers of which this very answer has rows held back.
    """
    agreeing = sorted({int(meta_id) for meta_id in bars["meta_id"].unique()} - held)
    asked = sorted({int(meta_id) for frame in (bars, actions) for meta_id in frame["meta_id"].unique()})
    waiting = {
        row[0]
        for row in connection.execute(
            "select distinct meta_id from tb_quarantine where status = 'held' and source = %s and meta_id = any (%s)",
            [source, asked],
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
            "source": source,
            "as_of": context.as_of,
        },
    ).rowcount


def rows(connection: Connection, status: str = "held", limit: int = 1000) -> list[Held]:
    """The newest ``limit`` rows with ``status``: held, released, rejected or repaired."""
    found = connection.execute(
        f"select {_COLUMNS} from tb_quarantine where status = %s order by quarantine_id desc limit %s",  # noqa: S608
        [status, limit],
    ).fetchall()
    return [Held(*row) for row in found]  # type: ignore[arg-type]


def release(
    connection: Connection, quarantine_id: int, *, by: str, note: str, now: datetime, proposed: bool = False
) -> Counts:
    """Store a held row after all, or with ``proposed`` what the check proposes instead, with a ledger row of its own.

    Raises UsageError where it is not held, or is nothing that can be stored.
    """
    with connection.transaction():
        held = _decide(connection, quarantine_id, "released", by=by, note=note, now=now)
        values = _storable(held, proposed=proposed)
        attempt = ledger.Attempt(
            job="quarantine", shard=(1, 1), trigger=by, as_of=now, session_date=held.trade_date, started_at=now
        )
        context = LoadContext(ledger.open_run(connection, attempt), now)
        counts = (_load_bar if held.kind == "bar" else _load_action)(connection, held, values, context)
        ledger.add(connection, context.run_id, counts)
        ledger.close_run(
            connection, context.run_id, status="succeeded", finished_at=now, tickers={}, requests=0, error=None
        )
    return counts


def reject(connection: Connection, quarantine_id: int, *, by: str, note: str, now: datetime) -> None:
    """Decide that a held row stays out. Raises UsageError where it is not held."""
    with connection.transaction():
        _decide(connection, quarantine_id, "rejected", by=by, note=note, now=now)


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


def _storable(held: Held, *, proposed: bool) -> dict[str, Any]:
    """The values to store. Raises UsageError where there are none."""
    number = held.quarantine_id
    if proposed and held.proposal is None:
        raise UsageError(f"row {number} has no proposal: release it as it is, or reject it")
    values = held.payload | (held.proposal or {} if proposed else {})
    main = "close" if held.kind == "bar" else "value"
    if values.get(main) is None or float(values[main]) <= 0:
        hint = "; its proposal can be (--proposed)" if held.proposal and not proposed else ""
        raise UsageError(f"row {number} has no positive {main}: it cannot be stored, only rejected{hint}")
    if {"inf", "-inf"} & set(map(str, values.values())):
        raise UsageError(f"row {number} has a value that is not finite: it cannot be stored, only rejected")
    return values


def _load_bar(connection: Connection, held: Held, values: dict[str, Any], context: LoadContext) -> Counts:
    import pandas as pd

    bar = pd.DataFrame(
        {
            "meta_id": [held.meta_id],
            "trade_date": [pd.Timestamp(held.trade_date)],
            **{name: [float("nan") if values[name] is None else float(values[name])] for name in _VALUES},
            "basis_date": [pd.Timestamp(values["basis_date"])],
        }
    )
    return load_bars(
        connection,
        bar,
        context,
        source=held.source,
        currency=values["currency"],
        sources=[held.source],
        settled_before=held.trade_date,
        volume_is_adjusted=held.source not in _VOLUME_AS_TRADED,
    )


def _load_action(connection: Connection, held: Held, values: dict[str, Any], context: LoadContext) -> Counts:
    import pandas as pd

    action = pd.DataFrame(
        {
            "meta_id": [held.meta_id],
            "ex_date": [pd.Timestamp(values.get("ex_date", held.trade_date))],
            "kind": [held.kind],
            "value": [float(values["value"])],
            "basis_date": [pd.Timestamp(values["basis_date"])],
        }
    )
    return load_actions(connection, action, context, source=held.source, currency=values["currency"])


def _decide(connection: Connection, quarantine_id: int, status: str, *, by: str, note: str, now: datetime) -> Held:
    row = connection.execute(
        f"""
        update tb_quarantine set status = %s, decided_at = %s, decided_by = %s, note = %s
        where quarantine_id = %s and status = 'held'
        returning {_COLUMNS}
        """,  # noqa: S608
        [status, now, by, note, quarantine_id],
    ).fetchone()
    if row is None:
        raise UsageError(_not_held(connection, quarantine_id))
    return Held(*row)  # type: ignore[arg-type]


def _not_held(connection: Connection, quarantine_id: int) -> str:
    row = connection.execute(
        "select status, decided_by, to_char(coalesce(decided_at, held_at), 'YYYY-MM-DD HH24:MI') "
        "from tb_quarantine where quarantine_id = %s",
        [quarantine_id],
    ).fetchone()
    if row is None:
        return f"there is no row {quarantine_id}: `quarantine list` shows those there are"
    return f"row {quarantine_id} was {row[0]} by {row[1] or 'a check'} at {row[2]} UTC"
