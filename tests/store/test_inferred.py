"""A restated history beside bars as they were traded: what rounding may do, and what a halt takes away."""

import re
from pathlib import Path

import pandas as pd
import pytest

from include.insight_invest.store.database import Connection
from tests.store.rows import NAN, actions, bars, counted, load, stored_bars, ticker

KRW = {"source": "naver", "currency": "KRW", "volume_is_adjusted": False}
FIFTY = ("2018-05-04", "split", 50.0, "2018-05-04")


@pytest.fixture(autouse=True)
def samsung(connection: Connection) -> None:
    ticker(connection, "005930", "KR")


def test_a_price_that_naver_cut_to_the_won_below_is_no_change(connection: Connection) -> None:
    """1,323,000 / 50 is 26,460 and Naver writes 26,459: one won of today is fifty of that day."""
    load(connection, bars(("2014-07-15", 1_300_000, 1_323_000, 1_297_000, 1_320_000, 239_521, "2014-07-15")), **KRW)  # type: ignore[arg-type]
    cut = bars(("2014-07-15", 26_000, 26_459, 25_940, 26_400, 239_521, "2018-05-04"))
    assert counted(load(connection, cut, actions(FIFTY), **KRW)) == (0, 0, 1)  # type: ignore[arg-type]
    off = bars(("2014-07-15", 26_000, 26_457, 25_940, 26_400, 239_521, "2018-05-04"))
    assert counted(load(connection, off, **KRW)) == (0, 1, 0)  # type: ignore[arg-type]


def test_no_bar_of_four_years_before_the_split_changes_when_naver_is_read_after_it(
    connection: Connection, shared_data: Path
) -> None:
    """937 sessions as traded (a history without Naver's cuts, times 50), then Naver's own recorded answer of 2026."""
    text = (shared_data / "naver" / "TestStockOhlcvByDateTest.test_ohlcv_with_adjusted.0.sise.xml").read_bytes()
    items = re.findall(rb'data="(\d{8})\|(\d+)\|(\d+)\|(\d+)\|(\d+)\|(\d+)"', text)
    names = ["trade_date", "open", "high", "low", "close", "volume"]
    naver = pd.DataFrame([[item.decode() for item in row] for row in items], columns=names)
    naver = naver[naver["trade_date"] < "20180504"].astype(dict.fromkeys(names[1:], float))
    naver.loc[naver["open"] == 0, ["open", "high", "low"]] = NAN
    history = pd.read_csv(shared_data / "kr_daily" / "QuantKang-005930_D.csv", dtype={"date": str})
    traded = history.rename(columns={"date": "trade_date"})[names[:-1]]
    traded = traded.merge(naver[["trade_date", "volume"]], on="trade_date").assign(meta_id=1)
    for name in names[1:5]:
        traded[name] = (traded[name] * 50.0).mask((traded["volume"] == 0) & (name != "close"))
    day = pd.to_datetime(traded["trade_date"])
    load(connection, traded.assign(trade_date=day, basis_date=day), actions(FIFTY), **KRW)  # type: ignore[arg-type]
    read = naver.assign(
        meta_id=1, trade_date=pd.to_datetime(naver["trade_date"]), basis_date=pd.Timestamp("2026-01-23")
    )
    assert counted(load(connection, read, **KRW)) == (0, 0, 937)  # type: ignore[arg-type]


HALT = ("2026-01-08", NAN, NAN, NAN, 2050, 0, "2026-01-08")
MADE_UP = ("2026-01-08", 2050, 2050, 2050, 2050, 0, "2026-01-08")


def test_krxs_word_that_there_was_no_trade_takes_yahoos_prices_away(connection: Connection) -> None:
    load(connection, bars(MADE_UP), currency="KRW")
    assert counted(load(connection, bars(HALT), source="krx", currency="KRW")) == (0, 1, 0)
    assert stored_bars(connection) == [("2026-01-08", None, None, None, 2050.0, 0, "2026-01-08", "krx")]


def test_a_source_that_leaves_out_its_own_prices_takes_nothing_away(connection: Connection) -> None:
    load(connection, bars(MADE_UP), source="krx", currency="KRW")
    assert counted(load(connection, bars(HALT), source="krx", currency="KRW")) == (0, 0, 1)


def test_a_better_source_without_prices_of_a_traded_day_takes_nothing_away(connection: Connection) -> None:
    traded = ("2026-01-08", 2040, 2060, 2030, 2050, 700, "2026-01-08")
    load(connection, bars(traded), currency="KRW")
    load(connection, bars(("2026-01-08", NAN, NAN, NAN, 2050, 700, "2026-01-08")), source="krx", currency="KRW")
    assert stored_bars(connection) == [("2026-01-08", 2040.0, 2060.0, 2030.0, 2050.0, 700, "2026-01-08", "krx")]
