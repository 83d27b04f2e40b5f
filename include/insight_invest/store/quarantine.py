"""Rows that were held back, and what was decided about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from include.insight_invest.errors import UsageError
from include.insight_invest.store import ledger
from include.insight_invest.store.bars import load_bars
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Counts, LoadContext
from include.insight_invest.store.statements import sql

_VALUES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Held:
    """One row of tb_quarantine."""

    quarantine_id: int
    meta_id: int
    ticker: str
    trade_date: date
    source: str
    reason: str
    payload: dict[str, Any]
    status: str
    held_at: datetime


def hold(
    connection: Connection, rows: Sequence[dict[str, Any]], context: LoadContext, *, source: str, currency: str
) -> int:
    """Put ``rows`` (meta_id, ticker, trade_date, reason, payload) into quarantine; returns how many of them are held.

    The same row again is the same row: it keeps its number and whatever was decided about it.
    """
    held = 0
    for row in rows:
        found = connection.execute(
            sql("hold_row"),
            {
                **row,
                "payload": Jsonb({**row["payload"], "currency": currency}),
                "source": source,
                "run_id": context.run_id,
                "as_of": context.as_of,
            },
        ).fetchone()
        held += found is not None and found[0] == "held"
    return held


def rows(connection: Connection, status: str = "held", limit: int = 1000) -> list[Held]:
    """The newest ``limit`` rows with ``status``."""
    found = connection.execute(
        "select quarantine_id, meta_id, ticker, trade_date, source, reason, payload, status, held_at "
        "from tb_quarantine where status = %s order by quarantine_id desc limit %s",
        [status, limit],
    ).fetchall()
    return [Held(*row) for row in found]  # type: ignore[arg-type]


def release(connection: Connection, quarantine_id: int, *, by: str, note: str, now: datetime) -> Counts:
    """Store a held row after all, with a ledger row of its own. Raises UsageError where it is not held."""
    import pandas as pd

    with connection.transaction():
        held = _decide(connection, quarantine_id, "released", by=by, note=note, now=now)
        close = held.payload.get("close")
        if close is None or float(close) <= 0:
            raise UsageError(f"row {quarantine_id} has no positive close: it cannot be stored, only rejected")
        if "inf" in map(str, held.payload.values()) or "-inf" in map(str, held.payload.values()):
            raise UsageError(f"row {quarantine_id} has a value that is not finite: it cannot be stored, only rejected")
        attempt = ledger.Attempt(
            job="quarantine", shard=(1, 1), trigger=by, as_of=now, session_date=held.trade_date, started_at=now
        )
        context = LoadContext(ledger.open_run(connection, attempt), now)
        bar = pd.DataFrame(
            {
                "meta_id": [held.meta_id],
                "trade_date": [pd.Timestamp(held.trade_date)],
                **{
                    name: [float("nan") if held.payload[name] is None else float(held.payload[name])]
                    for name in _VALUES
                },
                "basis_date": [pd.Timestamp(held.payload["basis_date"])],
            }
        )
        counts = load_bars(
            connection,
            bar,
            context,
            source=held.source,
            currency=held.payload["currency"],
            sources=[held.source],
            settled_before=held.trade_date,
        )
        ledger.add(connection, context.run_id, counts)
        ledger.close_run(
            connection, context.run_id, status="succeeded", finished_at=now, tickers={}, requests=0, error=None
        )
    return counts


def reject(connection: Connection, quarantine_id: int, *, by: str, note: str, now: datetime) -> None:
    """Decide that a held row stays out. Raises UsageError where it is not held."""
    with connection.transaction():
        _decide(connection, quarantine_id, "rejected", by=by, note=note, now=now)


def _decide(connection: Connection, quarantine_id: int, status: str, *, by: str, note: str, now: datetime) -> Held:
    row = connection.execute(
        """
        update tb_quarantine set status = %s, decided_at = %s, decided_by = %s, note = %s
        where quarantine_id = %s and status = 'held'
        returning quarantine_id, meta_id, ticker, trade_date, source, reason, payload, status, held_at
        """,
        [status, now, by, note, quarantine_id],
    ).fetchone()
    if row is None:
        raise UsageError(f"no held row {quarantine_id}: `quarantine list` shows those there are")
    return Held(*row)  # type: ignore[arg-type]
