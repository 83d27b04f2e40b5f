"""The benchmark runs on a small market, and its file has the shape that its readers expect."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import report, server
from bench.__main__ import measure
from bench.cgroup import limited
from bench.child import Child, ChildFailed
from bench.document import write_document
from bench.race import market_name
from bench.sizes import Sizes
from bench.stored import define
from tests.fixtures.database import Server

TINY = Sizes(
    rounds=2,
    load_tickers=4,
    slice_tickers=2,
    load_sessions=50,
    market_tickers=30,
    market_sessions=60,
    long_tickers=20,
    ten_years=70,
    series=1,
    observations=12,
    revisions=3,
    updater_tickers=(1, 2),
    job_tickers=2,
    job_rounds=1,
    peers=(),
)
STORE = ("first_load", "daily", "lookback", "watermark", "reads")


@pytest.fixture(scope="module")
def measuring(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Server]:
    """The test run's server, to be measured."""
    root = tmp_path_factory.mktemp("bench")
    opened = server.Server(root, postgres_server.url("insight"))
    yield opened
    opened.drop(market_name(TINY))
    opened.close()


@pytest.fixture(scope="module")
def measured(measuring: server.Server) -> dict[str, Any]:
    """What build/bench.json is, of the cases that need no updater and no peer."""
    file = measuring.root / "build" / "bench.json"
    cases: dict[str, Any] = {}
    for names in (STORE[:1], STORE[1:]):  # the second run adds to the first
        measure(measuring, TINY, names, cases, quick=True, rounds=2, file=file)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_the_file_says_what_was_measured_and_on_what(measured: dict[str, Any]) -> None:
    assert list(measured) == ["ratios", "figures", "quick", "machine", "versions", "settings", "cases"]
    assert tuple(measured["cases"]) == STORE
    assert measured["settings"]["fsync"] == "on"
    assert set(measured["machine"]) == {"processor", "cores", "memory_gb", "system", "load_before"}
    assert measured["versions"]["peers"]["dlt"]


def test_every_case_has_its_ratios(measured: dict[str, Any]) -> None:
    assert set(measured["ratios"]) == {
        "first_load_vs_copy",
        "unchanged_vs_copy",
        "wal_kb_per_10k_unchanged",
        "vs_psql_copy",
        "daily_10k_seconds",
        "daily_vs_psql_copy",
        "lookback_50k_seconds",
        "watermark_ms",
    }
    assert all(ratio > 0 for ratio in measured["ratios"].values())


def test_a_first_load_loads_all_and_the_same_again_nothing(measured: dict[str, Any]) -> None:
    case = measured["cases"]["first_load"]
    counted = {
        name: [(one["new"], one["changed"], one["unchanged"]) for one in case["whole"][name]]
        for name in ("ours", "unchanged")
    }
    assert counted == {"ours": [(200, 0, 0)] * 2, "unchanged": [(0, 0, 200)] * 2}
    assert [one["rows_touched"] for one in case["whole"]["unchanged"]] == [0, 0]
    assert case["part"] == {}  # no peer, nothing to compare a part with
    assert set(case["whole"]["ours"][0]) >= {"seconds", "client_cpu", "backend_cpu", "peak_mb", "wal_bytes"}


def test_a_day_is_new_in_each_round_and_a_week_brings_one(measured: dict[str, Any]) -> None:
    daily, lookback = (measured["cases"][name]["rounds"]["ours"] for name in ("daily", "lookback"))
    assert [(one["new"], one["unchanged"]) for one in daily] == [(30, 0), (30, 0)]
    assert [(one["new"], one["unchanged"]) for one in lookback] == [(30, 120), (30, 120)]


def test_what_a_peer_loads_is_taken_back(measured: dict[str, Any]) -> None:
    """psql has loaded the same two days: 30 tickers × 60 sessions, 20 of them 10 more, then 2, 2 and 1 days of ours."""
    assert measured["cases"]["reads"]["stored"]["rows"] == 30 * 60 + 20 * 10 + 30 * 5


def test_readers_find_what_is_there(measured: dict[str, Any]) -> None:
    rows = {name: found[0]["rows"] for name, found in measured["cases"]["reads"]["rounds"].items()}
    assert rows == {"prices": 75, "history": 75, "recent day": 30, "old day": 30, "macro": 12}
    assert measured["cases"]["watermark"]["rounds"]["watermark"][0]["rows"] == 30


def test_a_whole_job_loads_what_the_generated_source_has(measuring: server.Server, tmp_path: Path) -> None:
    file, cases = tmp_path / "bench.json", dict[str, Any]()
    measure(measuring, TINY, ["job", "updater"], cases, quick=True, rounds=1, file=file)
    (first,), (daily,) = cases["job"]["rounds"].values()
    assert first["rows"] == {"new": 5040, "changed": 0, "unchanged": 0, "held_back": 0}
    assert (daily["rows"]["new"], daily["rows"]["changed"], daily["rows"]["held_back"]) == (2, 0, 0)
    assert [0 < one["share"] < 1 for one in (first, daily)] == [True, True]
    assert [(one["tickers"], one["rows"]["new"]) for one in cases["updater"]["runs"]] == [(1, 2520), (2, 5040)]
    assert report.read(file)["ratios"]["updater_peak_mb"] > 50


def test_a_quick_run_leaves_the_figures_of_a_full_one(tmp_path: Path) -> None:
    file, lookback = tmp_path / "bench.json", {"rounds": {"ours": [{"seconds": 0.4}]}}
    report.write({"quick": False, "cases": {"lookback": lookback}}, file)
    report.write({"quick": True, "cases": {}}, file)
    assert report.read(file)["ratios"] == {}
    assert report.known(quick=True, file=file)["cases"] == {}
    assert report.known(quick=False, file=file)["cases"] == {"lookback": lookback}


def test_a_contestant_that_cannot_says_why(measuring: server.Server) -> None:
    url = define(measuring, "bench_refused", 1).replace("bench_refused", "bench_absent")
    with Child("ours", "first_load", url) as child, pytest.raises(ChildFailed, match="bench_absent"):
        child.go()
    measuring.drop("bench_refused")


def test_a_group_ends_what_needs_more_memory_than_it_has(tmp_path: Path) -> None:
    import subprocess

    with limited(64) as group:
        if group is None:
            pytest.skip("this machine permits no memory cgroup")
        command = [sys.executable, "-c", "len(bytearray(200_000_000))"]
        assert subprocess.run(group.command(command), check=False).returncode == -9
        assert 60 < group.peak_mb() <= 64 * 1.048576
    assert not group.folder.exists()


def test_the_document_is_written_from_the_file(tmp_path: Path) -> None:
    from tests.bench.test_figures import CASES

    stored = {"rows": 20, "table_bytes": 1, "index_bytes": 1}
    cases = {name: {"rows": 10, "asked_rounds": 5, "stored": stored, **case} for name, case in CASES.items()}
    used = {"cpu": 50e-6 * 7, "store_cpu": 4e-6 * 7, "backend_cpu": 8e-6 * 7, "rows": {"new": 7}}
    cases["job"]["rounds"] = {"first load": [used | {"share": 0.2}]}
    for one in cases["updater"]["runs"]:
        one |= {"tickers": 100, "seconds": 1.0, "rows": {"new": 7}}
    machine = {"processor": "Some", "cores": 2, "memory_gb": 8, "system": "Linux"}
    settings = {"server_version": "18.6", "fsync": "on"}
    known = {"machine": machine, "settings": settings, "versions": {"peers": {"dlt": "1.0"}}, "cases": cases}
    write_document({**known, "figures": report.figures(cases)}, tmp_path / "benchmarks.md")
    page = (tmp_path / "benchmarks.md").read_text()
    assert "| first load, of psql's speed | 0.5 | 0.5 | 0.8 | ≥ 0.6 | missed |" in page
    assert "| SQLAlchemy upsert | 50 (50–100) |  |" in page
    assert "take 46 µs of CPU, storing it takes\n12 in the server and here" in page
    assert "durable: `fsync=on`" in page
