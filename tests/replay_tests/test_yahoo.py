"""Yahoo through yfinance: windows, the clock, splits and dividends as they were quoted on the day."""

import json
from pathlib import Path

import pytest
from curl_cffi.requests.exceptions import HTTPError
from yfinance.exceptions import YFPricesMissingError

from tests.replay import Fault, Replay
from tests.replay_tests.clients import at, history, new_york_open, write_chart

WEEK = {"2026-01-05": 40.0, "2026-01-06": 44.0, "2026-01-07": 11.0, "2026-01-08": 12.0}
QUARTERS = {"2026-01-05": 10.0, "2026-01-06": 11.0, "2026-01-07": 11.0}  # as quoted after the split
SPLIT = {"0": {"date": new_york_open("2026-01-07"), "numerator": 4, "denominator": 1, "splitRatio": "4:1"}}
DIVIDEND = {"0": {"date": new_york_open("2026-01-07"), "amount": 2.2}}
LATE = "Fri, 30 Jan 2026 12:00:00 GMT"


@pytest.fixture
def folder(replay: Replay, tmp_path: Path) -> Path:
    """An empty data folder that the replay serves."""
    replay.load(tmp_path)
    return tmp_path


def test_recorded_values_come_back_exactly(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    replay.move_clock(at("2026-03-20T12:00"))
    opens, highs, lows, closes = 1, 2, 3, 4
    rows = history("NVDA", "2021-07-19", "2021-07-22")
    assert [row[0] for row in rows] == ["2021-07-19", "2021-07-20", "2021-07-21"]
    assert [row[opens] for row in rows] == [17.915250778198242, 18.729999542236328, 18.881999969482422]
    assert [row[highs] for row in rows] == [19.04199981689453, 18.83799934387207, 19.527000427246094]
    assert [row[lows] for row in rows] == [17.86549949645996, 18.163999557495117, 18.742000579833984]
    assert [row[closes:] for row in rows] == [
        (18.77975082397461, 18.742971420288086, 749060000, 0, 0),
        (18.61199951171875, 18.575544357299805, 434687000, 0, 4),
        (19.40999984741211, 19.371984481811523, 371017000, 0, 0),
    ]


def test_before_its_ex_date_a_split_is_not_known(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    replay.move_clock(at("2021-07-19T21:00"))
    assert [(row[0], *row[4:]) for row in history("NVDA", "2021-07-16", "2021-07-22")] == [
        ("2021-07-16", 72.64399719238281, 72.64399719238281, 172056000, 0, 0),
        ("2021-07-19", 75.11900329589844, 75.11900329589844, 187265000, 0, 0),
    ]


def test_a_whole_history_equals_its_file(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    recorded = json.loads(
        (shared_data / "yahoo_chart/historical-via-chart-dividends-TSLA-no-dividends.json").read_text()
    )
    result = recorded["body"]["chart"]["result"][0]
    quote, adjusted = result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]["adjclose"]
    columns = [quote["open"], quote["high"], quote["low"], quote["close"], adjusted, quote["volume"]]
    rows = history("TSLA", "2010-01-01", "2024-01-01")
    assert len(rows) == 3303
    assert [row[1:7] for row in rows] == list(zip(*columns, strict=True))


def test_several_files_are_one_history(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    rows = history("MSFT", "1986-01-01", "2026-01-01")
    assert rows[0][:5] == ("1986-03-13", 0.0885416641831398, 0.1015625, 0.0885416641831398, 0.0972222238779068)
    assert rows[-1][0] == "2022-01-28"
    assert [row[0] for row in rows if row[7]][-4:] == ["2021-02-17", "2021-05-19", "2021-08-18", "2021-11-17"]


def test_a_split_counts_from_its_ex_date_on(replay: Replay, folder: Path) -> None:
    write_chart(folder, "ACME", LATE, QUARTERS, splits=SPLIT)
    replay.move_clock(at("2026-01-06T22:00"))
    assert [row[4:9] for row in history("ACME", "2026-01-01", "2026-01-20")] == [
        (40.0, 40.0, 250, 0, 0),
        (44.0, 44.0, 250, 0, 0),
    ]
    replay.move_clock(at("2026-01-07T22:00"))
    assert [row[4:9] for row in history("ACME", "2026-01-01", "2026-01-20")] == [
        (10.0, 10.0, 1000, 0, 0),
        (11.0, 11.0, 1000, 0, 0),
        (11.0, 11.0, 1000, 0, 4),
    ]


def test_on_the_morning_of_its_ex_date_a_split_is_there_before_the_session(replay: Replay, folder: Path) -> None:
    write_chart(folder, "ACME", LATE, QUARTERS, splits=SPLIT)
    replay.move_clock(at("2026-01-07T09:00"))
    assert [[str(value) for value in (row[0], *row[4:])] for row in history("ACME", "2026-01-01", "2026-01-20")] == [
        ["2026-01-05", "10.0", "10.0", "1000.0", "0.0", "0.0"],
        ["2026-01-06", "11.0", "11.0", "1000.0", "0.0", "0.0"],
        ["2026-01-07", "nan", "nan", "0.0", "nan", "4.0"],  # the row that yfinance makes for an event without a bar
    ]


def test_a_dividend_lowers_the_adjusted_closes_before_it(replay: Replay, folder: Path) -> None:
    write_chart(folder, "ACME", LATE, WEEK, dividends=DIVIDEND)
    replay.move_clock(at("2026-01-06T22:00"))
    assert [row[4:8] for row in history("ACME", "2026-01-01", "2026-01-20")] == [
        (40.0, 40.0, 1000, 0),
        (44.0, 44.0, 1000, 0),
    ]
    replay.move_clock(at("2026-01-08T22:00"))
    assert [row[4:8] for row in history("ACME", "2026-01-01", "2026-01-20")] == [
        (40.0, 38.0, 1000, 0),
        (44.0, pytest.approx(41.8), 1000, 0),
        (11.0, 11.0, 1000, 2.2),
        (12.0, 12.0, 1000, 0),
    ]


@pytest.mark.parametrize(
    ("now", "last"),
    [("2026-01-07T14:29", "2026-01-06"), ("2026-01-07T20:59", "2026-01-06"), ("2026-01-07T21:00", "2026-01-07")],
)
def test_a_session_is_served_once_it_is_over(replay: Replay, folder: Path, now: str, last: str) -> None:
    write_chart(folder, "ACME", "Mon, 05 Jan 2026 01:00:00 GMT", WEEK)
    replay.move_clock(at(now))
    assert history("ACME", "2026-01-01", "2026-01-20")[-1][0] == last


def test_korean_shares_come_from_naver_and_the_snapshots(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    replay.move_clock(at("2026-03-20T00:00"))
    assert [row[:7] for row in history("005930.KS", "2026-01-22", "2026-03-20")] == [
        ("2026-01-22", 155000, 157000, 150800, 152300, 152300, 32073624),
        ("2026-01-23", 154700, 156000, 150100, 152100, 152100, 25195543),
        ("2026-03-06", 186100, 189700, 181000, 188200, 188200, 29522650),
        ("2026-03-09", 173500, 175500, 167300, 173500, 173500, 43066020),
        ("2026-03-18", 200500, 209000, 199700, 208500, 208500, 25148481),
        ("2026-03-19", 199900, 205000, 199600, 200500, 200500, 19884483),
    ]


def test_kosdaq_shares_have_another_suffix(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    assert history("247540.KQ", "2025-06-17", "2025-06-18")[0][0] == "2025-06-17"
    with pytest.raises(HTTPError, match="404"):
        history("247540.KS", "2025-06-17", "2025-06-18")


def test_an_unknown_symbol_is_not_found(replay: Replay, folder: Path) -> None:
    with pytest.raises(HTTPError, match="404"):
        history("NOPE", "2026-01-01", "2026-01-20")


def test_a_window_without_sessions_is_empty(replay: Replay, folder: Path) -> None:
    write_chart(folder, "ACME", LATE, WEEK)
    with pytest.raises(YFPricesMissingError):
        history("ACME", "2026-01-10", "2026-01-12")


def test_a_changed_file_is_read_again(replay: Replay, folder: Path) -> None:
    write_chart(folder, "ACME", LATE, {"2026-01-05": 40.0})
    assert history("ACME", "2026-01-01", "2026-01-20")[-1][4] == 40.0
    write_chart(folder, "ACME", LATE, {"2026-01-05": 40.0, "2026-01-06": 44.25})
    assert history("ACME", "2026-01-01", "2026-01-20")[-1][4] == 44.25


def test_null_bars(replay: Replay, folder: Path) -> None:
    write_chart(folder, "ACME", LATE, WEEK)
    replay.fault(Fault.NULL_BARS, source="yahoo")
    rows = history("ACME", "2026-01-01", "2026-01-20")
    assert [str(value) for value in rows[-1][:7]] == ["2026-01-08", "nan", "nan", "nan", "nan", "nan", "1000.0"]
    assert rows[-2][4] == 11.0


def test_a_live_bar_is_part_of_the_session_under_way(replay: Replay, folder: Path) -> None:
    write_chart(folder, "ACME", LATE, WEEK)
    replay.move_clock(at("2026-01-07T17:00"))
    replay.fault(Fault.LIVE_BAR, source="yahoo")
    assert [(row[0], row[4], row[6]) for row in history("ACME", "2026-01-06", "2026-01-20")] == [
        ("2026-01-06", 44.0, 1000),
        ("2026-01-07", 11.0, 500),
    ]


def test_a_repeated_bar_comes_at_the_instant_of_the_last_trade(replay: Replay, folder: Path) -> None:
    from yfinance.data import YfData

    write_chart(folder, "ACME", LATE, WEEK)
    replay.fault(Fault.REPEATED_BAR, source="yahoo")
    window = {"period1": new_york_open("2026-01-07"), "period2": new_york_open("2026-01-20")}
    answer = YfData().get_raw_json("https://query2.finance.yahoo.com/v8/finance/chart/ACME", params=window)
    result = answer["chart"]["result"][0]
    opens = [new_york_open(day) for day in ("2026-01-07", "2026-01-08", "2026-01-08")]
    assert result["timestamp"] == [opens[0], opens[1], opens[2] + 23_400]
    assert result["indicators"]["quote"][0]["close"] == [11.0, 12.0, 12.0]


def test_meta_tells_nothing_of_later_days(replay: Replay, folder: Path) -> None:
    from yfinance.data import YfData

    write_chart(folder, "ACME", LATE, WEEK)
    replay.move_clock(at("2026-01-06T22:00"))
    answer = YfData().get_raw_json("https://query2.finance.yahoo.com/v8/finance/chart/ACME", params={"range": "1d"})
    meta = answer["chart"]["result"][0]["meta"]
    assert meta["regularMarketTime"] == new_york_open("2026-01-06") + 23_400
    assert (meta["regularMarketPrice"], meta["chartPreviousClose"], meta["fiftyTwoWeekHigh"]) == (44.0, 40.0, 45.0)
    assert (meta["exchangeTimezoneName"], meta["gmtoffset"], meta["firstTradeDate"]) == (
        "America/New_York",
        -18_000,
        new_york_open("2026-01-05"),
    )
