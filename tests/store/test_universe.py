"""Which tickers and series a run updates."""

from datetime import date

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from include.insight_invest.store.database import Connection
from include.insight_invest.store.universe import (
    Series,
    Target,
    add_series,
    in_shard,
    series,
    targets,
    upsert_definitions,
)
from tests.store.rows import bars, load

TWO_DAYS = (
    ("2026-03-18", 10.0, 12.0, 9.0, 11.0, 1000.0, "2026-03-18"),
    ("2026-03-19", 11.0, 13.0, 10.0, 12.0, 2000.0, "2026-03-19"),
)


def define(connection: Connection, *rows: tuple[str, str, str | None]) -> tuple[int, int]:
    frame = pd.DataFrame(rows, columns=["ticker", "iso_code", "market"])
    return upsert_definitions(connection, frame.assign(name=frame["ticker"], security_type="STOCK"))


def test_targets_are_a_countrys_tickers_with_their_newest_session(connection: Connection) -> None:
    define(connection, ("MSFT", "US", "NASDAQ"), ("005930", "KR", "KOSPI"), ("NVDA", "US", None))
    load(connection, bars(*TWO_DAYS))
    assert targets(connection, "US") == [
        Target(1, "MSFT", "NASDAQ", date(2026, 3, 19), unsettled_since=date(2026, 3, 18)),
        Target(3, "NVDA", None, None),
    ]
    assert targets(connection, "KR") == [Target(2, "005930", "KOSPI", None)]


def test_targets_may_be_named(connection: Connection) -> None:
    define(connection, ("MSFT", "US", None), ("NVDA", "US", None))
    assert [target.ticker for target in targets(connection, "US", ("NVDA", "TSLA"))] == ["NVDA"]


def test_the_market_is_kept_where_a_later_listing_lacks_it(connection: Connection) -> None:
    assert define(connection, ("MSFT", "US", "NASDAQ")) == (1, 0)
    assert define(connection, ("MSFT", "US", None)) == (0, 0)
    assert define(connection, ("MSFT", "US", "NYSE"), ("NVDA", "US", None)) == (1, 1)
    assert [target.market for target in targets(connection, "US")] == ["NYSE", None]


def test_series_are_those_with_a_fred_id(connection: Connection) -> None:
    connection.execute("insert into tb_macro (fred) values ('GDP'), (null), ('DGS10')")
    assert series(connection) == [Series(1, "GDP"), Series(3, "DGS10")]
    assert series(connection, ["DGS10", "UNRATE"]) == [Series(3, "DGS10")]


def test_adding_series_leaves_known_ones_as_they_are(connection: Connection) -> None:
    assert add_series(connection, [("GDP", "first"), ("DGS10", "ten years")]) == 2
    assert add_series(connection, [("GDP", "second"), ("UNRATE", "unemployment")]) == 1
    rows = connection.execute("select fred, description from tb_macro order by fred").fetchall()
    assert rows == [("DGS10", "ten years"), ("GDP", "first"), ("UNRATE", "unemployment")]


@settings(max_examples=50)
@given(ticker=st.text(min_size=1, max_size=12), count=st.integers(1, 64))
def test_every_ticker_is_in_exactly_one_shard(ticker: str, count: int) -> None:
    assert sum(in_shard(ticker, (index, count)) for index in range(1, count + 1)) == 1


def test_the_shard_of_a_ticker_is_the_same_on_every_machine() -> None:
    tickers = ("MSFT", "NVDA", "TSLA", "005930", "BRK/A", "ABR^D")
    assert [ticker for ticker in tickers if in_shard(ticker, (1, 2))] == ["005930"]


def test_shards_of_targets_and_series_are_the_whole(connection: Connection) -> None:
    names = [f"T{number}" for number in range(200)]
    define(connection, *((name, "US", None) for name in names))
    add_series(connection, [(name, "") for name in names])
    shards = [(index, 3) for index in (1, 2, 3)]
    parts = [[target.ticker for target in targets(connection, "US", shard=shard)] for shard in shards]
    assert sorted(ticker for part in parts for ticker in part) == sorted(names)
    assert min(len(part) for part in parts) > 40
    assert parts == [[item.fred for item in series(connection, shard=shard)] for shard in shards]


def test_the_window_reaches_back_to_what_was_held_in_the_last_90_days(connection: Connection) -> None:
    define(connection, ("MSFT", "US", None))
    load(connection, bars(*TWO_DAYS))  # up to 2026-03-19
    for day, status in (
        ("2025-12-18", "held"),
        ("2025-12-19", "held"),
        ("2026-01-05", "held"),
        ("2025-12-22", "released"),
    ):
        connection.execute(
            "insert into tb_quarantine (run_id, meta_id, ticker, trade_date, source, reason, payload, status, held_at) "
            "values (1, 1, 'MSFT', %s, 'yahoo', 'odd', '{}', %s, now())",
            [day, status],
        )
    assert [target.gap_since for target in targets(connection, "US")] == [date(2025, 12, 19)]
