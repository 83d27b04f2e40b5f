"""The oracle sees what it is there for: each of its checks, on a row that violates it alone."""

from datetime import date
from typing import Any, LiteralString

import pytest

from include.insight_invest.store.database import Connection
from tests.fuzz.oracle import is_sentence, stored, told

WEDNESDAY = date(2026, 1, 7)
BAR: dict[str, Any] = {
    "meta_id": 1,
    "trade_date": "2026-01-07",
    "open": 10.0,
    "high": 12.0,
    "low": 9.0,
    "close": 11.0,
    "volume": 500,
    "basis_date": "2026-01-07",
    "source": "yahoo",
    "currency": "USD",
    "observed_at": "2026-01-08T12:00Z",
    "final": True,
    "run_id": 1,
}
SPLIT: dict[str, Any] = {
    "meta_id": 1,
    "ex_date": "2026-01-07",
    "kind": "split",
    "value": 2.0,
    "basis_date": "2026-01-07",
    "source": "yahoo",
    "currency": "USD",
    "observed_at": "2026-01-08T12:00Z",
    "run_id": 1,
}
VINTAGE: dict[str, Any] = {
    "macro_id": 1,
    "base_date": "2025-12-01",
    "realtime_start": "2026-01-07",
    "value": 3.25,
    "source": "fred",
    "run_id": 1,
}


@pytest.fixture(autouse=True)
def _a_ticker_a_series_and_a_run(connection: Connection) -> None:
    connection.execute(
        "insert into tb_meta (ticker, name, security_type, iso_code) values ('ACME', 'A', 'STOCK', 'US')"
    )
    connection.execute("insert into tb_macro (fred) values ('RATE')")
    connection.execute(
        "insert into tb_job_run (job, status, trigger, version, as_of, started_at, finished_at) "
        "values ('us-price', 'succeeded', 'cli', '3', '2026-01-08T12:00Z', '2026-01-08T12:00Z', '2026-01-08T12:00Z')"
    )


def wrong(connection: Connection, table: LiteralString, row: dict[str, Any]) -> list[str]:
    """What the oracle says of ``table`` with ``row`` in it."""
    columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
    connection.execute(f"insert into {table} ({columns}) values ({places})".encode(), list(row.values()))
    return stored(connection, session=WEDNESDAY, today=date(2026, 1, 8))


@pytest.mark.parametrize(("table", "row"), [("tb_bar", BAR), ("tb_action", SPLIT), ("tb_macro_vintage", VINTAGE)])
def test_a_good_row(connection: Connection, table: LiteralString, row: dict[str, Any]) -> None:
    assert wrong(connection, table, row) == []


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        ({"close": "NaN", "high": None}, "a close that is no price"),
        ({"close": "Infinity", "high": None}, "a close that is no price"),
        ({"open": -1.0, "low": None}, "an open that is no price"),
        ({"high": "NaN"}, "a high that is no price"),
        ({"low": 0.0}, "a low that is no price"),
        ({"low": 13.0, "open": None}, "a low over its high"),
        ({"close": 8.0, "open": None}, "a close under its low"),
        ({"close": 12.02}, "a close over its high"),
        ({"open": 8.0}, "an open under its low"),
        ({"open": 13.0}, "an open over its high"),
        ({"volume": -1}, "a volume that no market has"),
        ({"trade_date": "2026-01-08"}, "a day after the run's session"),
        ({"basis_date": "2026-01-08"}, "a basis in the future"),
        ({"trade_date": "1700-01-04"}, "a day before there were exchanges"),
        ({"currency": "GBp"}, "a currency that is none"),
        ({"source": "?"}, "a source that is none"),
        ({"meta_id": 2}, "nobody's"),
        ({"run_id": 2}, "no run's"),
        ({"trade_date": "2026-01-01"}, "no session of the exchange"),
        ({"trade_date": "1989-12-30"}, "no session of the exchange"),
    ],
)
def test_a_bad_bar(connection: Connection, bad: dict[str, Any], what: str) -> None:
    assert any(what in line for line in wrong(connection, "tb_bar", BAR | bad))


def test_a_close_a_tick_over_its_high_is_good(connection: Connection) -> None:
    assert wrong(connection, "tb_bar", BAR | {"close": 12.01}) == []


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        ({"value": "Infinity"}, "a value that is none"),
        ({"value": 1e6}, "a ratio that no split has"),
        ({"ex_date": "2026-01-08"}, "a day after the run's session"),
        ({"ex_date": "2026-01-04"}, "a day at the weekend"),
        ({"currency": "\x01"}, "a currency that is none"),
    ],
)
def test_a_bad_split(connection: Connection, bad: dict[str, Any], what: str) -> None:
    assert any(what in line for line in wrong(connection, "tb_action", SPLIT | bad))


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        ({"value": "NaN"}, "a value that is not finite"),
        ({"value": "-Infinity"}, "a value that is not finite"),
        ({"realtime_start": "2026-01-09"}, "known after the run"),
        ({"realtime_start": "1700-01-01"}, "known before FRED was"),
        ({"base_date": "9999-12-31"}, "of a day that none is"),
    ],
)
def test_a_bad_vintage(connection: Connection, bad: dict[str, Any], what: str) -> None:
    assert any(what in line for line in wrong(connection, "tb_macro_vintage", VINTAGE | bad))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("Yahoo has no prices for ACME", True),
        ("Yahoo did not answer for ACME: JSONDecodeError", True),
        ("FRED's answer for RATE is not XML", True),
        (None, False),
        ("", False),
        ("KeyError: 'x'", False),
        ("ValueError: could not convert string to float: 'a'", False),
        ("Yahoo did not answer for ACME: KeyError", False),
        ("Traceback (most recent call last)", False),
        ("two lines\nof a driver", False),
        ("with a \x00 in it", False),
        ("word " * 200, False),
        ("failed", False),
    ],
)
def test_what_a_sentence_is(text: str | None, good: bool) -> None:
    assert is_sentence(text) is good


def test_what_a_ledger_row_must_tell() -> None:
    row: dict[str, Any] = {"status": "succeeded", "error": None, "notes": [], "tickers": {"updated": {"ACME": None}}}
    assert told(row, ["ACME"]) == []
    assert told(row, ["ACME", "BOLT"]) == ["BOLT has no state"]
    assert told(row | {"status": "running"}, []) != []
    assert told(row | {"status": "failed", "error": "KeyError: 'x'"}, []) != []
    assert told(row | {"tickers": {"failed": {"ACME": None}}}, []) != []
    assert told(row | {"notes": ["IndexError"]}, []) != []
