"""A recorded history loaded at once, and in 200 daily increments as Yahoo quoted it on each day: the same prices.

Each increment is what a daily run reads: the newest seven sessions and their events, in the shares of that evening. The
adjusted closes that Yahoo itself computed are the proof.
"""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import broken_invariants
from tests.store.histories import History, read_chart, read_daily
from tests.store.rows import load, ticker

INCREMENTS = 200
_CHART = "historical-via-chart-{}.json"
HISTORIES = {
    # name: where it ends; what lies in its last 200 sessions
    "MSFT 2021": "2022-01-31",  # four dividends
    "NVDA 2021": "2022-01-31",  # 4:1
    "TSLA": "2022-12-30",  # 3:1
    "AAPL": "2014-12-31",  # 7:1 and four dividends, three of them paid on the old shares
    "KO": "2012-12-31",  # 2:1 and four dividends
    "MSFT": "2014-12-31",  # four dividends
}


@pytest.fixture(params=HISTORIES)
def history(request: pytest.FixtureRequest, connection: Connection, shared_data: Path) -> History:
    ticker(connection, "IT")
    charts = shared_data / "yahoo_chart"
    match request.param:
        case "MSFT 2021":
            whole = read_chart(charts / _CHART.format("MSFT-dividends-2021-02-01-to-2022-01-31.csv"))
        case "NVDA 2021":
            splits = (("2021-07-20", 4.0), ("2024-06-10", 10.0))
            # the chart names none of its dividends, which are in its adjclose
            paid = (("2021-03-09", 0.004), ("2021-06-09", 0.004), ("2021-08-31", 0.004), ("2021-12-01", 0.004))
            chart = read_chart(charts / _CHART.format("NVDA-split-2021-02-01-to-2022-01-31.csv"), splits)
            whole = History(chart.quoted, splits, paid)
        case "TSLA":
            splits = (("2020-08-31", 5.0), ("2022-08-25", 3.0))
            whole = read_chart(charts / _CHART.format("dividends-TSLA-no-dividends"), splits)
        case name:
            whole = read_daily(shared_data / "us_daily", name)
    return whole.until(HISTORIES[request.param])


def load_day(connection: Connection, history: History, day: pd.Timestamp, sessions: int | None = 7) -> tuple[int, ...]:
    """One evening's run; how many rows and actions were new or changed."""
    quoted, events = history.answer(day, sessions)
    evening = f"{day.date() + pd.Timedelta(days=1)} 09"
    counts = load(connection, quoted, events, as_of=evening, sources=["yahoo"])
    return counts.new, counts.changed, counts.actions_new, counts.actions_changed


def assert_equal_to_yahoo(connection: Connection, history: History) -> None:
    """Close within 1e-6, adjusted close within 1e-4 of Yahoo's, which is scaled to end without an adjustment."""
    rows = connection.execute("select trade_date, close, adj_close, volume from tb_price order by 1").fetchall()
    stored = pd.DataFrame(rows, columns=["trade_date", "close", "adj_close", "volume"])
    quoted = history.quoted
    adjusted = quoted["adjclose"] / quoted["adjclose"].iloc[-1] * quoted["close"].iloc[-1]
    assert list(pd.to_datetime(stored["trade_date"])) == list(quoted["trade_date"])
    np.testing.assert_allclose(stored["close"].to_numpy(), quoted["close"].to_numpy(), rtol=1e-6)
    np.testing.assert_allclose(stored["adj_close"].to_numpy(), adjusted.to_numpy(), rtol=1e-4)
    np.testing.assert_allclose(stored["volume"].to_numpy(), quoted["volume"].to_numpy(), rtol=1e-5)


def test_a_full_load(connection: Connection, history: History) -> None:
    last = history.quoted["trade_date"].iloc[-1]
    assert load_day(connection, history, last, None)[:2] == (len(history.quoted), 0)
    assert_equal_to_yahoo(connection, history)


def test_200_daily_increments(connection: Connection, history: History) -> None:
    days = list(history.quoted["trade_date"])
    load_day(connection, history, days[-INCREMENTS - 1], None)
    counts = [load_day(connection, history, day) for day in days[-INCREMENTS:]]
    assert [count[:2] for count in counts] == [(1, 0)] * INCREMENTS
    happened = [
        ex_date for ex_date, _ in (*history.splits, *history.dividends) if pd.Timestamp(ex_date) in days[-INCREMENTS:]
    ]
    assert sum(count[2] for count in counts) == len(happened)
    assert sum(count[3] for count in counts) == 0
    assert connection.execute("select count(*) from tb_bar_revision").fetchall() == [(0,)]
    assert broken_invariants(connection, "us-price") == []
    assert_equal_to_yahoo(connection, history)


def test_a_full_load_after_the_increments_changes_nothing(connection: Connection, history: History) -> None:
    days = list(history.quoted["trade_date"])
    load_day(connection, history, days[-INCREMENTS - 1], None)
    for day in days[-INCREMENTS::6]:
        load_day(connection, history, day)
    load_day(connection, history, days[-1])
    assert load_day(connection, history, days[-1], None) == (0, 0, 0, 0)
    assert_equal_to_yahoo(connection, history)


def test_landing_an_action_adds_one_row_and_changes_no_bar(connection: Connection, history: History) -> None:
    """Each split and dividend by itself, between two readings of the whole table: not a bar was touched."""
    last = history.quoted["trade_date"].iloc[-1]
    quoted, events = history.answer(last, None)
    load(connection, quoted, settled_before=date(2100, 1, 1))
    bars = "select xmin::text, * from tb_bar order by trade_date"
    before = connection.execute(bars).fetchall()
    for number in range(len(events)):
        assert load(connection, events=events.iloc[[number]]).actions_new == 1
    assert connection.execute("select count(*) from tb_action").fetchall() == [(len(events),)]
    assert connection.execute(bars).fetchall() == before
    assert connection.execute("select count(*) from tb_bar_revision").fetchall() == [(0,)]
    assert_equal_to_yahoo(connection, history)
