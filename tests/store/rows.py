"""Rows as literals: what goes in, one run that loads it, what is stored."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from include.insight_invest.store import ledger
from include.insight_invest.store.actions import load_actions
from include.insight_invest.store.bars import load_bars
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Change, Counts, LoadContext
from include.insight_invest.store.vintages import load_vintages

NAN = float("nan")
NEVER = date(1900, 1, 1)

# day, open, high, low, close, volume, basis_date
Bar = tuple[str, float, float, float, float, float, str]
# ex_date, kind, value, basis_date
Action = tuple[str, str, float, str]
# base_date, realtime_start, value
Vintage = tuple[str, str, float]


def bars(*rows: Bar, meta_id: int = 1) -> pd.DataFrame:
    """Bars of one ticker, as a source gives them."""
    columns = ["trade_date", "open", "high", "low", "close", "volume", "basis_date"]
    frame = pd.DataFrame(rows, columns=columns).assign(meta_id=meta_id)
    return frame.assign(**{day: pd.to_datetime(frame[day]) for day in ("trade_date", "basis_date")})


def actions(*rows: Action, meta_id: int = 1) -> pd.DataFrame:
    """Corporate actions of one ticker, as a source gives them."""
    frame = pd.DataFrame(rows, columns=["ex_date", "kind", "value", "basis_date"]).assign(meta_id=meta_id)
    return frame.assign(**{day: pd.to_datetime(frame[day]) for day in ("ex_date", "basis_date")})


def vintages(*rows: Vintage) -> pd.DataFrame:
    """Vintages of one series, as FRED gives them."""
    frame = pd.DataFrame(rows, columns=["base_date", "realtime_start", "value"])
    return frame.assign(**{day: pd.to_datetime(frame[day]) for day in ("base_date", "realtime_start")})


def ticker(connection: Connection, symbol: str, iso_code: str = "US") -> int:
    """Add a ticker to tb_meta; the first one of a test has meta_id 1."""
    row = connection.execute(
        "insert into tb_meta (ticker, name, security_type, iso_code) values (%s, %s, 'STOCK', %s) returning meta_id",
        [symbol, symbol, iso_code],
    ).fetchone()
    return number(row)


def macro(connection: Connection, fred: str) -> int:
    """Add a series to tb_macro; the first one of a test has macro_id 1."""
    return number(connection.execute("insert into tb_macro (fred) values (%s) returning macro_id", [fred]).fetchone())


def number(row: tuple[object, ...] | None) -> int:
    """The integer that a row of one column holds."""
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


def instant(text: str) -> datetime:
    """``2026-03-20 09`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def start_run(connection: Connection, as_of: str = "2026-03-20 09", job: str = "us-price") -> int:
    """Open a ledger row and leave it running."""
    now = instant(as_of)
    attempt = ledger.Attempt(
        job=job, shard=(1, 1), trigger="test", as_of=now, session_date=now.date(), started_at=now, options={}
    )
    return ledger.open_run(connection, attempt)


def end_run(connection: Connection, run_id: int, status: str = "succeeded") -> None:
    """Close a ledger row."""
    now = instant("2026-03-20 10")
    ledger.close_run(connection, run_id, status=status, finished_at=now, tickers={}, requests=0, error=None)


def load(
    connection: Connection,
    quoted: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    *,
    as_of: str = "2026-03-20 09",
    source: str = "yahoo",
    currency: str = "USD",
    sources: Sequence[str] = ("krx", "naver", "yahoo"),
    settled_before: date = NEVER,
    volume_is_adjusted: bool = True,
    on_change: Callable[[Change], None] | None = None,
) -> Counts:
    """One run that loads one batch, as the updaters do it: actions, bars and ledger entry in one transaction."""
    run_id = start_run(connection, as_of)
    context = LoadContext(run_id, instant(as_of), on_change)
    with connection.transaction():
        counts = Counts()
        if events is not None:
            counts.add(load_actions(connection, events, context, source=source, currency=currency))
        if quoted is not None:
            counts.add(
                load_bars(
                    connection,
                    quoted,
                    context,
                    source=source,
                    currency=currency,
                    sources=sources,
                    settled_before=settled_before,
                    volume_is_adjusted=volume_is_adjusted,
                )
            )
        ledger.add(connection, run_id, counts)
    end_run(connection, run_id)
    return counts


def load_series(
    connection: Connection,
    quoted: pd.DataFrame,
    *,
    macro_id: int = 1,
    on_change: Callable[[Change], None] | None = None,
) -> Counts:
    """One run that loads vintages of one series."""
    run_id = start_run(connection, job="macro")
    context = LoadContext(run_id, instant("2026-03-20 09"), on_change)
    with connection.transaction():
        counts = load_vintages(connection, quoted, context, macro_id=macro_id, source="fred")
        ledger.add(connection, run_id, counts)
    end_run(connection, run_id)
    return counts


def counted(counts: Counts) -> tuple[int, int, int]:
    """How many rows were new, changed, unchanged."""
    return counts.new, counts.changed, counts.unchanged


def stored_bars(connection: Connection) -> list[tuple[Any, ...]]:
    """tb_bar: day, open, high, low, close, volume, basis_date, source."""
    return _days(
        connection.execute(
            "select trade_date, open, high, low, close, volume, basis_date, source from tb_bar "
            "order by meta_id, trade_date"
        ).fetchall()
    )


def revisions(connection: Connection) -> list[tuple[Any, ...]]:
    """tb_bar_revision: day, close, volume, source, run_id, replaced_by."""
    return _days(
        connection.execute(
            "select trade_date, close, volume, source, run_id, replaced_by from tb_bar_revision order by revision_id"
        ).fetchall()
    )


def stored_actions(connection: Connection) -> list[tuple[Any, ...]]:
    """tb_action: ex_date, kind, value, basis_date, earlier."""
    return _days(
        connection.execute(
            "select ex_date, kind, value, basis_date, earlier from tb_action order by meta_id, ex_date, kind"
        ).fetchall()
    )


def prices(connection: Connection) -> list[tuple[Any, ...]]:
    """tb_price of meta_id 1: day, close, adj_close, gross_return."""
    return _days(
        connection.execute(
            "select trade_date, close, adj_close, gross_return from tb_price where meta_id = 1 order by trade_date"
        ).fetchall()
    )


def stored_vintages(connection: Connection) -> list[tuple[Any, ...]]:
    """tb_macro_vintage: base_date, realtime_start, value, source."""
    return _days(
        connection.execute(
            "select base_date, realtime_start, value, source from tb_macro_vintage "
            "order by macro_id, base_date, realtime_start"
        ).fetchall()
    )


def _days(rows: Sequence[tuple[object, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(str(value) if isinstance(value, date) else value for value in row) for row in rows]
