"""An operator's command while a run is landing a batch: one waits for the other."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from psycopg.types.json import Jsonb

from include.insight_invest.store import quarantine
from include.insight_invest.store.bars import load_bars
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.store.lease import one_batch_at_a_time
from include.insight_invest.store.load import LoadContext
from tests.store.rows import NEVER, Bar, bars, instant, load, number, start_run, ticker

WED = ("2026-03-18", 10.0, 12.0, 9.0, 11.0, 1000, "2026-03-18")
THU = ("2026-03-19", 10.0, 12.0, 9.0, 11.0, 1000, "2026-03-19")
CORRECTED = ("2026-03-19", 10.0, 12.0, 9.0, 11.5, 1000, "2026-03-19")
STALE = "select * from insight_adjustment except select * from tb_adjustment"


def held(connection: Connection, kind: str, day: str, payload: dict[str, object]) -> int:
    return number(
        connection.execute(
            "insert into tb_quarantine (run_id, meta_id, ticker, trade_date, kind, source, reason, payload, held_at) "
            "values (1, 1, 'MSFT', %s, %s, 'yahoo', 'odd', %s, now()) returning quarantine_id",
            [day, kind, Jsonb(payload | {"currency": "USD", "basis_date": day})],
        ).fetchone()
    )


def batch(connection: Connection, row: Bar, run_id: int) -> None:
    one_batch_at_a_time(connection)
    context = LoadContext(run_id, instant("2026-03-21 09"))
    load_bars(connection, bars(row), context, source="yahoo", currency="USD", sources=["yahoo"], settled_before=NEVER)


def release(connection: Connection, number_of: int) -> None:
    quarantine.release(connection, number_of, by="op", note="x", now=datetime.now(UTC))


def meanwhile(url: str, step: Callable[[Connection], None]) -> tuple[threading.Thread, list[Exception]]:
    failed: list[Exception] = []

    def work() -> None:
        try:
            with connect(url) as other:
                step(other)
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(0.5)  # without a lock it is done by then
    return thread, failed


@pytest.fixture(autouse=True)
def stored(connection: Connection) -> None:
    ticker(connection, "MSFT")
    load(connection, bars(WED, THU))


def test_a_dividend_is_released_while_its_eve_is_corrected(connection: Connection, database: str) -> None:
    one = held(connection, "dividend", "2026-03-20", {"value": 1.0})
    run_id = start_run(connection)
    with connection.transaction():
        batch(connection, CORRECTED, run_id)
        thread, failed = meanwhile(database, lambda other: release(other, one))
    thread.join()
    assert failed == []
    assert connection.execute(STALE).fetchall() == []


def test_two_dividends_are_released_at_once(connection: Connection, database: str) -> None:
    one = held(connection, "dividend", "2026-03-19", {"value": 1.0})
    two = held(connection, "dividend", "2026-03-20", {"value": 1.0})
    with connection.transaction():
        release(connection, one)
        thread, failed = meanwhile(database, lambda other: release(other, two))
    thread.join()
    assert failed == []
    assert connection.execute(STALE).fetchall() == []


def test_a_bar_is_released_while_a_run_lands_it(connection: Connection, database: str) -> None:
    day = "2026-03-20"
    one = held(connection, "bar", day, {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 5.0})
    run_id = start_run(connection)

    def land(other: Connection) -> None:
        with other.transaction():
            batch(other, (day, *WED[1:6], day), run_id)

    with connection.transaction():
        release(connection, one)
        thread, failed = meanwhile(database, land)
    thread.join()
    assert failed == []
