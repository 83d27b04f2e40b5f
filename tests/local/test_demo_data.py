"""The demonstration's folder: whole or not there, the same bytes every time, laid out as the replay serves it."""

import csv
import gzip
import hashlib
import json
import re
import time
from pathlib import Path

import pytest

from local.demo_data import MARKER, PROVENANCE, build


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("demo") / "data")


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_two_builds_have_the_same_bytes(demo: Path, tmp_path: Path) -> None:
    assert digests(build(tmp_path / "again")) == digests(demo)


def test_a_folder_that_is_there_is_left_alone(demo: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in demo.rglob("*")}
    began = time.monotonic()
    assert build(demo) == demo
    assert time.monotonic() - began < 1
    assert {path: path.stat().st_mtime_ns for path in demo.rglob("*")} == before
    assert [path.name for path in demo.parent.iterdir()] == [demo.name]  # nothing half made beside it


def test_a_folder_of_another_version_is_made_anew(tmp_path: Path) -> None:
    out = tmp_path / "data"
    out.mkdir()
    (out / MARKER).write_text("{}", encoding="utf-8")
    (out / "left over").touch()
    build(out, redate=False)
    assert not (out / "left over").exists()
    with (out / "universe.csv").open(encoding="utf-8", newline="") as file:
        assert [row["ticker"] for row in csv.DictReader(file)] == ["AAPL", "MSFT", "IBM", "GOOG", "FB"]


def test_somebody_else_s_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FileExistsError, match="is not demonstration data"):
        build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_it_holds(demo: Path) -> None:
    assert sorted(path.name for path in demo.iterdir()) == [
        MARKER,
        "fred",
        "krx_listing",
        "macro_series.csv",
        "naver",
        "universe.csv",
        "us_listing",
        "yahoo_chart",
    ]
    assert sum(path.stat().st_size for path in demo.rglob("*")) < 25_000_000
    assert list(PROVENANCE) == ["us-price", "kr-price", "macro"]


def test_the_universe_names_what_is_listed_throughout(demo: Path) -> None:
    assert (demo / "universe.csv").read_text(encoding="utf-8").splitlines() == [
        "ticker,name,security_type,iso_code,market",
        'AAPL,"Apple Inc. Common Stock",STOCK,US,NASDAQ',
        'MSFT,"Microsoft Corporation Common Stock",STOCK,US,NASDAQ',
        'IBM,"International Business Machines Corporation Common Stock",STOCK,US,NYSE',
        'GOOG,"Google Inc. Class A Common Stock",STOCK,US,NASDAQ',
    ]


def test_a_listing_names_a_ticker_from_its_first_day(demo: Path) -> None:
    listed = {
        path.name: [row["symbol"] for row in json.loads(gzip.decompress(path.read_bytes()))]
        for path in sorted((demo / "us_listing").iterdir())
    }
    assert listed["nasdaq_full_tickers-2019-06-17.json.gz"] == ["AAPL", "MSFT", "GOOG"]
    assert listed["nasdaq_full_tickers-2027-03-24.json.gz"] == ["AAPL", "MSFT", "GOOG", "FB"]
    assert listed["nyse_full_tickers-2027-03-24.json.gz"] == ["IBM"]


def test_a_yahoo_file_is_dated_by_its_last_session(demo: Path) -> None:
    recorded = json.loads((demo / "yahoo_chart" / "demo-AAPL.json").read_bytes())
    assert recorded["_date"] == "Fri, 31 Dec 2027 21:00:00 GMT"
    meta = recorded["body"]["chart"]["result"][0]["meta"]
    assert (meta["symbol"], meta["regularMarketPrice"], meta["gmtoffset"]) == ("AAPL", 430.47, -18_000)


def test_a_fred_file(demo: Path) -> None:
    answer = json.loads((demo / "fred" / "GDPC1.all_releases.json").read_bytes())
    assert answer["count"] == len(answer["observations"]) == 203
    assert answer["observations"][-1] == {
        "realtime_start": "2028-10-30",
        "realtime_end": "9999-12-31",
        "date": "2028-07-01",
        "value": "12990.341",
    }
    [info] = json.loads((demo / "fred" / "GDPC1.info.json").read_bytes())["seriess"]
    assert (info["id"], info["frequency_short"], info["units"]) == ("GDPC1", "Q", "Billions of Chained 2005 Dollars")
    assert info["notes"] == "Re-dated for the demonstration. Real values from statsmodels macrodata.realgdp."


def test_every_listed_series_has_both_files(demo: Path) -> None:
    with (demo / "macro_series.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["fred"] for row in csv.DictReader(file)]
    files = sorted(f"{series_id}.{kind}.json" for series_id in ids for kind in ("all_releases", "info"))
    assert sorted(path.name for path in (demo / "fred").iterdir()) == files


def snapshot(demo: Path, day: str) -> dict[str, dict[str, str]]:
    with (demo / "krx_listing" / f"krx-{day}.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["Code"]: row for row in csv.DictReader(file)}


def naver(demo: Path, code: str) -> dict[str, list[int]]:
    text = (demo / "naver" / f"{code}.sise.xml").read_bytes().decode("euc-kr")
    rows = [item.split("|") for item in re.findall(r'<item data="(.*?)" />', text)]
    return {day: [int(value) for value in values] for day, *values in rows}


def test_a_split_in_a_snapshot_and_in_a_history(demo: Path) -> None:
    """991080 was split 5:1 on 2026-12-11: the snapshots count each day's shares, Naver the last day's."""
    before, after = snapshot(demo, "2026-12-10")["991080"], snapshot(demo, "2026-12-11")["991080"]
    assert int(after["Stocks"]) == 5 * int(before["Stocks"])
    assert (int(after["Close"]) - int(after["Changes"])) * 5 == int(before["Close"])
    history = naver(demo, "991080")
    assert history["20261210"] == [0, 0, 0, int(before["Close"]) // 5, 0]  # halted before the new shares are listed
    assert history["20261211"] == [int(after[name]) for name in ("Open", "High", "Low", "Close", "Volume")]
    assert "991080,2026-12-11,5" in (demo / "naver" / "actions.csv").read_text(encoding="utf-8").splitlines()


def test_a_snapshot_has_the_columns_and_the_order_of_the_real_one(demo: Path) -> None:
    rows = list(snapshot(demo, "2026-11-20").values())
    assert ",".join(rows[0]) == (
        ",Code,ISU_CD,Name,Market,Dept,Close,ChangeCode,Changes,ChagesRatio,Open,High,Low,Volume,Amount,Marcap,Stocks,"
        "MarketId"
    )
    assert [row[""] for row in rows] == [str(rank) for rank in range(len(rows))]
    caps = [int(row["Marcap"]) for row in rows]
    assert caps == sorted(caps, reverse=True)
    assert {row["Market"] for row in rows} == {"KOSPI", "KOSDAQ", "KOSDAQ GLOBAL", "KONEX"}
    assert all(int(row["Close"]) * int(row["Stocks"]) == int(row["Marcap"]) for row in rows)


def test_snapshots_are_those_of_the_sessions_from_october_2026(demo: Path) -> None:
    names = sorted(path.name for path in (demo / "krx_listing").iterdir())
    assert (names[0], names[-1], len(names)) == ("krx-2026-10-01.csv", "krx-2027-12-30.csv", 309)
    assert "krx-2026-11-21.csv" not in names  # a Saturday
