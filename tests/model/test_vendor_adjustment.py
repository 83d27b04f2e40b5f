"""Yahoo's adjusted column comes, goes and comes back; nothing that is stored follows it.

Five recordings each of AAPL and Samsung, made on different days of 2026, hold adjusted closes only. Between two of them
the adjustment for Samsung's dividend of 2026-06-29 appears, five weeks late; in Apple's a new dividend lowers the whole
history. Each is served to yfinance with the quoted closes and the dividend that every version knew.
"""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from include.insight_invest.settings import load_settings
from include.insight_invest.sources.base import Wanted, Window
from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.store.database import Connection
from include.insight_invest.store.universe import Target
from tests.replay import Replay
from tests.store.rows import load, ticker


class Share(NamedTuple):
    """A share and the dividend whose adjustment comes and goes: what it takes off, by the recordings themselves."""

    ticker: str
    symbol: str
    iso_code: str
    market: str | None
    opens: tuple[time, str]
    currency: str
    ex_date: str
    kept: float  # adjusted close over quoted close before the ex-date


APPLE = Share("AAPL", "AAPL", "US", "NASDAQ", (time(9, 30), "America/New_York"), "USD", "2026-08-10", 0.99913838)
SAMSUNG = Share("005930", "005930.KS", "KR", "KOSPI", (time(9), "Asia/Seoul"), "KRW", "2026-06-29", 0.99889840)
SETTINGS: dict[str, Any] = {"yahoo_rate": 1000, "retry_wait": 0.01}


def versions(folder: Path, share: Share) -> list[pd.DataFrame]:
    """The recordings, oldest first: trade_date, open, high, low, volume, adjclose, and close as it was quoted."""
    found = []
    for path in folder.glob(f"{share.symbol}@*.csv"):
        frame = pd.read_csv(path).rename(columns=str.lower).rename(columns={"date": "trade_date"})
        before = (frame["trade_date"] < share.ex_date).to_numpy()
        found.append((str(frame["trade_date"].iloc[-1]), frame, before))
    found.sort(key=lambda one: one[0])
    first = found[0][1].set_index("trade_date")["close"]
    recorded = []
    for _, frame, before in found:
        both = frame["trade_date"].map(first)
        is_adjusted = np.nanmedian((frame["close"] / both)[before]) < 1 - 1e-5
        factor = np.where(before & is_adjusted, share.kept, 1.0)
        prices = {name: frame[name] / factor for name in ("open", "high", "low", "close")}
        recorded.append(frame.assign(adjclose=frame["close"], **prices))
    return recorded


def write(folder: Path, share: Share, frame: pd.DataFrame) -> None:
    """``frame`` as a recorded Yahoo chart."""
    opens, zone = share.opens

    def at(day: str) -> int:
        return int(datetime.combine(date.fromisoformat(day), opens, ZoneInfo(zone)).timestamp())

    eve = frame["close"][frame["trade_date"] < share.ex_date].iloc[-1]
    paid = {"date": at(share.ex_date), "amount": eve * (1 - share.kept)}
    known = frame["trade_date"].iloc[-1] >= share.ex_date
    result = {
        "meta": {
            "currency": share.currency,
            "symbol": share.symbol,
            "instrumentType": "EQUITY",
            "exchangeTimezoneName": zone,
            "dataGranularity": "1d",
        },
        "timestamp": [at(day) for day in frame["trade_date"]],
        "events": {"dividends": {str(paid["date"]): paid}} if known else {},
        "indicators": {
            "quote": [{name: frame[name].tolist() for name in ("open", "high", "low", "close", "volume")}],
            "adjclose": [{"adjclose": frame["adjclose"].tolist()}],
        },
    }
    recorded = _evening(frame).strftime("%a, %d %b %Y %H:%M:%S GMT")
    file = folder / "yahoo_chart" / f"version-{share.symbol}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"_date": recorded, "body": {"chart": {"result": [result], "error": None}}}))


def _evening(frame: pd.DataFrame) -> datetime:
    return datetime.combine(date.fromisoformat(frame["trade_date"].iloc[-1]), time(23), UTC)


def read(connection: Connection, share: Share, frame: pd.DataFrame) -> None:
    """One run that asks Yahoo for the whole history."""
    target = Target(1, share.ticker, share.market, None)
    window = Window(start=None, session=date.fromisoformat(frame["trade_date"].iloc[-1]))
    (answer,) = Yahoo(load_settings(**SETTINGS), share.iso_code).prices([Wanted(target=target, window=window)])
    assert answer.problems == {}
    load(
        connection,
        answer.bars.drop(columns="ticker"),
        answer.actions.drop(columns="ticker"),
        as_of=f"{_evening(frame) + timedelta(hours=9):%Y-%m-%d %H}",
        currency=share.currency,
    )


@pytest.mark.parametrize(("share", "corrected"), [(APPLE, 5), (SAMSUNG, 0)], ids=["AAPL", "005930"])
def test_an_adjustment_that_vanishes_and_returns_moves_nothing(
    connection: Connection, replay: Replay, shared_data: Path, tmp_path: Path, share: Share, corrected: int
) -> None:
    ticker(connection, share.ticker, share.iso_code)
    recorded = versions(shared_data / "yahoo_vintages", share)
    vanished = recorded[-1].assign(adjclose=recorded[-1]["close"])
    revised: list[int] = []
    adjusted: list[dict[str, float]] = []
    for frame in [*recorded, vanished, recorded[-1]]:
        write(tmp_path, share, frame)
        replay.load(tmp_path)
        replay.move_clock(_evening(frame))
        read(connection, share, frame)
        revised.append(len(connection.execute("select from tb_bar_revision").fetchall()))
        rows = connection.execute("select trade_date::text, adj_close from tb_price order by 1").fetchall()
        adjusted.append(dict(rows))  # type: ignore[arg-type]
    # Yahoo itself corrected the volume, or a high or low, of that many sessions between the recordings
    assert revised == [*revised[:5], corrected, corrected]
    assert connection.execute("select count(*) from tb_action").fetchall() == [(1,)]
    assert adjusted[-1] == adjusted[-2] == adjusted[-3]
    newest = recorded[-1].set_index("trade_date")["adjclose"]
    stored = np.array([adjusted[-1][day] for day in newest.index])
    np.testing.assert_allclose(stored, newest.to_numpy(), rtol=1e-4)
