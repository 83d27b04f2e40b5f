"""What an operator decides about rows that were held back (``held.py``): shown, released, rejected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString

from include.insight_invest.errors import UsageError
from include.insight_invest.jobs import price_sources
from include.insight_invest.store import ledger
from include.insight_invest.store.actions import load_actions
from include.insight_invest.store.bars import load_bars
from include.insight_invest.store.database import Connection
from include.insight_invest.store.lease import one_batch_at_a_time
from include.insight_invest.store.load import Counts, LoadContext

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

    Raises UsageError where it is not held, is nothing that can be stored, or a better source's bar is stored.
    """
    with connection.transaction():
        one_batch_at_a_time(connection)
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

    sources = _sources(connection, held)
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
        sources=sources,
        settled_before=held.trade_date,
        volume_is_adjusted=held.source not in _VOLUME_AS_TRADED,
    )


def _sources(connection: Connection, held: Held) -> Sequence[str]:
    """The sources of the held bar's market, best first. Raises UsageError where a better one's bar is stored."""
    row = connection.execute(
        "select m.iso_code, b.source from tb_meta as m "
        "left join tb_bar as b on b.meta_id = m.meta_id and b.trade_date = %s where m.meta_id = %s",
        [held.trade_date, held.meta_id],
    ).fetchone()
    sources = price_sources(str(row[0])) if row else ()
    stored = row[1] if row else None
    if stored in sources and held.source in sources[sources.index(str(stored)) + 1 :]:
        raise UsageError(
            f"row {held.quarantine_id} is {held.source}'s, and for {held.trade_date} the better bar of {stored} is "
            "stored: it can only be rejected"
        )
    return sources or [held.source]


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
