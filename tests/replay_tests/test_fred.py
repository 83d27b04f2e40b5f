"""FRED through fredapi: vintages, real-time windows, and the answers that are errors."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
import requests
from fredapi import Fred

from tests.replay import Replay
from tests.replay_tests.clients import KEY, at

URL = "https://api.stlouisfed.org/fred/series"


@pytest.fixture
def fred(replay: Replay) -> Iterator[Fred]:
    """A client; the opener that fredapi installs for the whole process goes with it."""
    import urllib.request

    yield Fred(api_key=KEY)
    urllib.request.install_opener(None)


@pytest.fixture
def folder(replay: Replay, tmp_path: Path) -> Path:
    """Two snapshots of one series: a value revised, a hole, a date out of the later window, a new date."""
    (tmp_path / "fred").mkdir()
    (tmp_path / "fred" / "2026-01-02.RATE.csv").write_text(
        "date,value\n2025-09-01,1.0\n2025-10-01,\n2025-11-01,3.0\n2025-12-01,4\n"
    )
    (tmp_path / "fred" / "2026-02-10.RATE.csv").write_text(
        "date,RATE\n2025-11-01,3.5\n2025-12-01,4.0\n2026-01-01,5.0\n"
    )
    replay.load(tmp_path)
    return tmp_path


def observations(**query: str) -> list[dict[str, str]]:
    """The observations of one request, attribute for attribute."""
    answer = requests.get(f"{URL}/observations", {"api_key": KEY, **query}, timeout=10)
    return [child.attrib for child in ET.fromstring(answer.content)]


def recorded(shared_data: Path, name: str) -> list[dict[str, str]]:
    """What FRED itself answered about GDP on 2024-10-30."""
    answer: dict[str, Any] = json.loads((shared_data / "fred" / f"GDP.{name}.json").read_text())
    rows: list[dict[str, str]] = answer["observations"]
    return rows


def releases(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(date, realtime_start, value)."""
    columns = zip(frame["date"], frame["realtime_start"], frame["value"], strict=True)
    return [(str(day.date()), str(start.date()), str(value)) for day, start, value in columns]


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("observations", {}),
        ("all_releases", {"realtime_start": "1776-07-04", "realtime_end": "9999-12-31"}),
        ("asof", {"realtime_start": "1776-07-04", "realtime_end": "2019-01-01"}),
    ],
)
def test_gdp_as_fred_answered_it(replay: Replay, shared_data: Path, name: str, query: dict[str, str]) -> None:
    replay.load(shared_data)
    replay.move_clock(at("2024-10-30T18:00"))
    assert observations(series_id="GDP", **query) == recorded(shared_data, name)


def test_gdp_through_fredapi(replay: Replay, shared_data: Path, fred: Fred) -> None:
    replay.load(shared_data)
    assert len(fred.get_series_all_releases("GDP")) == 3199
    dates = [str(day.date()) for day in fred.get_series_vintage_dates("GDP")]
    assert dates == json.loads((shared_data / "fred" / "GDP.vintagedates.json").read_text())["vintage_dates"]
    assert fred.get_series_info("GDP")["title"] == "Gross Domestic Product"


def test_a_release_of_tomorrow_is_not_known(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    replay.move_clock(at("2024-09-26T04:59"))  # still the 25th in Chicago
    window = {"realtime_start": "2024-08-29", "realtime_end": "9999-12-31", "observation_start": "2024-04-01"}
    august = {"realtime_start": "2024-08-29", "date": "2024-04-01", "value": "28652.337"}
    assert observations(series_id="GDP", **window) == [august | {"realtime_end": "9999-12-31"}]
    replay.move_clock(at("2024-09-26T05:00"))
    assert observations(series_id="GDP", **window) == [
        august | {"realtime_end": "2024-09-25"},
        {"realtime_start": "2024-09-26", "realtime_end": "9999-12-31", "date": "2024-04-01", "value": "29016.714"},
    ]


def test_snapshots_become_vintages(folder: Path, fred: Fred) -> None:
    assert [str(day.date()) for day in fred.get_series_vintage_dates("RATE")] == ["2026-01-02", "2026-02-10"]
    assert releases(fred.get_series_all_releases("RATE")) == [
        ("2025-09-01", "2026-01-02", "1.0"),
        ("2025-10-01", "2026-01-02", "NaT"),
        ("2025-11-01", "2026-01-02", "3.0"),
        ("2025-11-01", "2026-02-10", "3.5"),
        ("2025-12-01", "2026-01-02", "4.0"),
        ("2026-01-01", "2026-02-10", "5.0"),
    ]


def test_a_real_time_window_clips_its_rows(folder: Path) -> None:
    window = {"realtime_start": "2026-01-05", "realtime_end": "2026-02-20", "observation_start": "2025-11-01"}
    assert observations(series_id="RATE", observation_end="2025-11-01", **window) == [
        {"realtime_start": "2026-01-05", "realtime_end": "2026-02-09", "date": "2025-11-01", "value": "3.0"},
        {"realtime_start": "2026-02-10", "realtime_end": "2026-02-20", "date": "2025-11-01", "value": "3.5"},
    ]
    assert observations(series_id="RATE", vintage_dates="2026-01-31", sort_order="desc", limit="2") == [
        {"realtime_start": "2026-01-31", "realtime_end": "2026-01-31", "date": "2025-12-01", "value": "4"},
        {"realtime_start": "2026-01-31", "realtime_end": "2026-01-31", "date": "2025-11-01", "value": "3.0"},
    ]


def test_the_first_release_of_each_date(folder: Path) -> None:
    rows = observations(series_id="RATE", output_type="4", realtime_start="1776-07-04", realtime_end="9999-12-31")
    assert [(row["date"], row["value"]) for row in rows][2:4] == [("2025-11-01", "3.0"), ("2025-12-01", "4")]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"series_id": "NOPE"}, "Bad Request.  The series does not exist."),
        (
            {"api_key": "short"},
            "Bad Request.  The value for variable api_key is not a 32 character alpha-numeric lower",
        ),
        ({"api_key": ""}, "Bad Request.  Variable api_key is not set."),
        (
            {"realtime_end": "2026-03-21"},
            "Bad Request.  Variable realtime_end can not be after today's date (2026-03-20)",
        ),
        ({"realtime_start": "tomorrow"}, "Bad Request.  Variable realtime_start is not a YYYY-MM-DD formatted date"),
        (
            {"realtime_start": "2025-01-01", "realtime_end": "2025-12-31"},
            "Bad Request.  The series does not exist in ALFRED but may exist in FRED.",
        ),
    ],
)
def test_bad_requests(folder: Path, query: dict[str, str], message: str) -> None:
    asked = {"series_id": "RATE", "api_key": KEY} | query
    answer = requests.get(f"{URL}/observations", asked, timeout=5)
    assert answer.status_code == 400
    assert ET.fromstring(answer.content).attrib["message"].startswith(message)


def test_an_error_reaches_the_caller_of_fredapi(folder: Path, fred: Fred) -> None:
    with pytest.raises(ValueError, match="The series does not exist"):
        fred.get_series_all_releases("NOPE")


def test_more_than_2000_vintages_are_too_many(replay: Replay, tmp_path: Path) -> None:
    days = pd.date_range("2019-01-01", periods=2001)
    rows = [
        {"date": str(d.date()), "realtime_start": str(d.date()), "realtime_end": "9999-12-31", "value": "1"}
        for d in days
    ]
    (tmp_path / "fred").mkdir()
    (tmp_path / "fred" / "DAILY.all_releases.json").write_text(json.dumps({"observations": rows}))
    replay.load(tmp_path)
    asked = {"series_id": "DAILY", "api_key": KEY, "realtime_start": "1776-07-04", "realtime_end": "9999-12-31"}
    answer = requests.get(f"{URL}/observations", asked, timeout=5)
    assert ET.fromstring(answer.content).attrib["message"] == (
        "Bad Request.  There are 2001 vintage dates in the specified real-time period: 1776-07-04 to 9999-12-31."
        "  This exceeds the maximum number of vintage dates allowed for this file type (2000)."
    )
    assert len(observations(series_id="DAILY", realtime_start="2019-01-02", realtime_end="9999-12-31")) == 2001
