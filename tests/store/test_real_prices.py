"""tb_price against the adjusted closes that Yahoo itself computed, on recorded histories."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from include.insight_invest.store.database import Connection
from tests.store.histories import read_chart
from tests.store.rows import Action, actions, counted, load, ticker

RECORDED = "2025-02-22"  # the day of the chart recordings
MSFT = "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json"
NVDA = "historical-via-chart-NVDA-split-2021-02-01-to-2022-01-31.csv.json"
TSLA = "historical-via-chart-dividends-TSLA-no-dividends.json"


@pytest.fixture(autouse=True)
def one_ticker(connection: Connection) -> None:
    ticker(connection, "IT")


def as_traded(quoted: pd.DataFrame, splits: tuple[Action, ...]) -> pd.DataFrame:
    """The bars in the shares of their own day, as a run of that evening would have stored them."""
    ratio = np.ones(len(quoted))
    for ex_date, _, value, _ in splits:
        ratio[quoted["trade_date"] < pd.Timestamp(ex_date)] *= value
    raw = {name: quoted[name] * ratio for name in ("open", "high", "low", "close")}
    return quoted.assign(**raw, volume=quoted["volume"] / ratio, basis_date=quoted["trade_date"], meta_id=1)


def assert_equal_to_file(connection: Connection, quoted: pd.DataFrame) -> None:
    """Close within 32-bit rounding, adjusted close within 1e-4; the file's is scaled to end without an adjustment."""
    rows = connection.execute("select trade_date, close, adj_close, volume from tb_price order by 1").fetchall()
    view = pd.DataFrame(rows, columns=["trade_date", "close", "adj_close", "volume"])
    expected = quoted["adjclose"] / quoted["adjclose"].iloc[-1] * quoted["close"].iloc[-1]
    assert list(pd.to_datetime(view["trade_date"])) == list(quoted["trade_date"])
    np.testing.assert_allclose(view["close"].to_numpy(), quoted["close"].to_numpy(), rtol=1e-6)
    np.testing.assert_allclose(view["adj_close"].to_numpy(), expected.to_numpy(), rtol=1e-4)


def test_msft_with_its_dividends_of_2021(connection: Connection, shared_data: Path) -> None:
    quoted = read_chart(shared_data / "yahoo_chart" / MSFT).quoted
    paid = actions(
        ("2021-02-17", "dividend", 0.56, RECORDED),
        ("2021-05-19", "dividend", 0.56, RECORDED),
        ("2021-08-18", "dividend", 0.56, RECORDED),
        ("2021-11-17", "dividend", 0.62, RECORDED),
    )
    counts = load(connection, quoted.assign(basis_date=pd.Timestamp(RECORDED), meta_id=1), paid)
    assert counted(counts) == (252, 0, 0)
    assert_equal_to_file(connection, quoted)


def test_nvda_across_its_4_to_1_split(connection: Connection, shared_data: Path) -> None:
    """Stored evening by evening in 2021, seen after the split of 2024: prices, and dividends of 16 and 4 cents."""
    quoted = read_chart(shared_data / "yahoo_chart" / NVDA).quoted
    splits: tuple[Action, ...] = (
        ("2021-07-20", "split", 4.0, "2021-07-20"),
        ("2024-06-10", "split", 10.0, "2024-06-10"),
    )
    paid: tuple[Action, ...] = (
        ("2021-03-09", "dividend", 0.16, "2021-03-09"),
        ("2021-06-09", "dividend", 0.16, "2021-06-09"),
        ("2021-08-31", "dividend", 0.04, "2021-08-31"),
        ("2021-12-01", "dividend", 0.04, "2021-12-01"),
    )
    load(connection, as_traded(quoted, splits), actions(*splits, *paid))
    stored = connection.execute("select close from tb_bar where trade_date = '2021-07-19'").fetchall()
    assert stored == [(pytest.approx(751.19, abs=0.01),)]
    assert_equal_to_file(connection, quoted)
    restated = quoted.assign(basis_date=pd.Timestamp(RECORDED), meta_id=1)
    assert counted(load(connection, restated)) == (0, 0, 252)


def test_tsla_with_two_splits_and_no_dividend(connection: Connection, shared_data: Path) -> None:
    quoted = read_chart(shared_data / "yahoo_chart" / TSLA).quoted
    splits: tuple[Action, ...] = (
        ("2020-08-31", "split", 5.0, "2020-08-31"),
        ("2022-08-25", "split", 3.0, "2022-08-25"),
    )
    assert counted(load(connection, as_traded(quoted, splits), actions(*splits))) == (3303, 0, 0)
    assert_equal_to_file(connection, quoted)


def test_aapl_since_1980(connection: Connection, shared_data: Path) -> None:
    """4 splits and 59 dividends over 9,480 sessions; the file names no dividend, but each shows in its adjclose."""
    names = {"Date": "trade_date", "Adj Close": "adjclose"} | {
        name: name.lower() for name in ("Open", "High", "Low", "Close", "Volume")
    }
    quoted = pd.read_csv(shared_data / "us_daily" / "luisgrivas-AAPL.csv", parse_dates=["Date"]).rename(columns=names)
    splits: tuple[Action, ...] = (
        ("1987-06-16", "split", 2.0, "1987-06-16"),
        ("2000-06-21", "split", 2.0, "2000-06-21"),
        ("2005-02-28", "split", 2.0, "2005-02-28"),
        ("2014-06-09", "split", 7.0, "2014-06-09"),
    )
    factor = (quoted["adjclose"] / quoted["close"]).to_numpy()
    kept = factor[:-1] / factor[1:]
    eves = np.flatnonzero(kept < 1 - 1e-4)
    paid = [
        (str(quoted["trade_date"][eve + 1].date()), "dividend", quoted["close"][eve] * (1 - kept[eve]), "2018-07-18")
        for eve in eves
    ]
    assert len(paid) == 59
    assert counted(load(connection, as_traded(quoted, splits), actions(*splits, *paid))) == (9480, 0, 0)
    assert_equal_to_file(connection, quoted)
    of_day = connection.execute("select * from tb_price where trade_date = '2014-06-06'").fetchall()
    of_ticker = connection.execute("select * from tb_price where meta_id = 1 and trade_date = '2014-06-06'").fetchall()
    assert of_day == of_ticker
