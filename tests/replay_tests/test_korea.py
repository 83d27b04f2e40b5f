"""Korea through finance-datareader: Naver's charts, KRX's newest date, the cache's snapshots."""

from pathlib import Path

import FinanceDataReader
import pandas as pd
import pytest
import requests

from tests.replay import Replay
from tests.replay_tests.clients import at

XML = """<?xml version="1.0" encoding="EUC-KR" ?>
<protocol>
<chartdata symbol="123456" name="시험" count="3" timeframe="day" precision="0" origintime="19900103">
<item data="20260105|1000|1100|900|1050|500" />
<item data="20260106|0|0|0|1050|0" />
<item data="20260107|1050|1200|1000|1100|700" />
</chartdata>
</protocol>
"""


def rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """(ISO date, open, high, low, close, volume)."""
    columns = frame[["Open", "High", "Low", "Close", "Volume"]].to_numpy().tolist()
    return [(str(day.date()), *row) for day, row in zip(frame.index, columns, strict=True)]


@pytest.fixture
def folder(replay: Replay, tmp_path: Path) -> Path:
    """A data folder with one Naver chart, that the replay serves."""
    (tmp_path / "naver").mkdir()
    (tmp_path / "naver" / "123456.sise.xml").write_text(XML, encoding="euc-kr")
    replay.load(tmp_path)
    return tmp_path


def test_a_chart_from_naver(folder: Path) -> None:
    assert rows(FinanceDataReader.DataReader("123456")) == [
        ("2026-01-05", 1000, 1100, 900, 1050, 500),
        ("2026-01-06", 0, 0, 0, 1050, 0),
        ("2026-01-07", 1050, 1200, 1000, 1100, 700),
    ]


def test_the_chart_is_named_in_korean(folder: Path) -> None:
    answer = requests.get("https://fchart.stock.naver.com/sise.nhn?symbol=123456&timeframe=day&count=1", timeout=5)
    assert answer.encoding == "EUC-KR"
    assert 'symbol="123456" name="시험" count="1"' in answer.text
    assert answer.text.count("<item ") == 1


def test_a_session_is_served_once_it_is_over(replay: Replay, folder: Path) -> None:
    replay.move_clock(at("2026-01-07T06:29"))  # 15:29 in Seoul
    assert rows(FinanceDataReader.DataReader("123456"))[-1][0] == "2026-01-06"
    replay.move_clock(at("2026-01-07T06:30"))
    assert rows(FinanceDataReader.DataReader("123456"))[-1][0] == "2026-01-07"


def test_before_its_ex_date_a_split_is_undone_in_prices_and_not_in_volume(replay: Replay, folder: Path) -> None:
    (folder / "naver" / "actions.csv").write_text("code,ex_date,ratio\n123456,2026-01-07,5\n")
    replay.move_clock(at("2026-01-06T12:00"))
    assert rows(FinanceDataReader.DataReader("123456")) == [
        ("2026-01-05", 5000, 5500, 4500, 5250, 500),
        ("2026-01-06", 0, 0, 0, 5250, 0),
    ]


def test_an_unknown_code_has_no_items(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert FinanceDataReader.DataReader("999999").empty
    assert "invalid symbol" in capsys.readouterr().out


def test_recordings_are_one_history(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    chart = rows(FinanceDataReader.DataReader("005930", "2001-01-01"))
    assert len(chart) == 6000
    assert chart[-1] == ("2026-01-23", 154700, 156000, 150100, 152100, 25195543)
    assert rows(FinanceDataReader.DataReader("000660"))[-1][0] == "2025-06-17"


def test_the_market_of_a_day(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    replay.move_clock(at("2026-03-19T21:00"))
    listing = FinanceDataReader.StockListing("KRX")
    assert len(listing) == 2878
    assert listing.iloc[0][["Code", "Close", "Changes", "Volume", "Stocks"]].tolist() == [
        "005930", 200500, -8000, 19884483, 5919637922,
    ]  # fmt: skip
    assert replay.counts == {"krx": 3}


@pytest.mark.parametrize(
    ("now", "day", "volume"),
    [
        ("2026-03-19T00:14", "20260318", "25148481"),
        ("2026-03-19T00:15", "20260319", ""),
        ("2026-03-19T06:41", "20260319", "19262511"),
        ("2026-03-19T07:54", "20260319", "19884483"),
    ],
)
def test_a_snapshot_grows_with_the_clock(replay: Replay, shared_data: Path, now: str, day: str, volume: str) -> None:
    replay.load(shared_data)
    replay.move_clock(at(now))
    newest = requests.get(
        "http://data.krx.co.kr/comm/bldAttendant/executeForResourceBundle.cmd?key=B128.bld", timeout=5
    ).json()
    assert newest == {"result": {"output": [{"max_work_dt": day}]}}
    url = "https://raw.githubusercontent.com/FinanceData/fdr_krx_data_cache/refs/heads/master/data/listing/krx"
    text = requests.get(f"{url}/{day[:4]}-{day[4:6]}-{day[6:]}.csv", timeout=5).text
    samsung = next(line.split(",") for line in text.splitlines() if ",005930," in line)
    assert samsung[13] == volume


def test_an_index_ends_at_the_clock(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    replay.move_clock(at("2025-12-29T12:00"))
    index = FinanceDataReader.DataReader("KS11", "2025-12-26", "2025-12-31")
    assert index["Close"].tolist() == [4129.68, 4220.56]


def test_krx_itself_logs_everyone_out(replay: Replay) -> None:
    answer = requests.post("https://data.krx.co.kr/comm/bldAttendant/getJsonData.cmd", {"bld": "x"}, timeout=5)
    assert (answer.status_code, answer.text) == (400, "LOGOUT")


def test_us_listings(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    url = "https://raw.githubusercontent.com/rreichel3/US-Stock-Symbols/main/{0}/{0}_full_tickers.json"
    assert requests.get(url.format("nyse"), timeout=5).status_code == 404  # its file is of August
    replay.move_clock(at("2026-08-23T00:00"))
    assert requests.get(url.format("nyse"), timeout=5).json()[0]["symbol"] == "A"
    assert requests.get(url.format("amex"), timeout=5).status_code == 404
    assert replay.counts == {"listing": 3}
