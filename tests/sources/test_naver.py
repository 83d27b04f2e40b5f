"""Naver's own ways: whole histories in today's shares, volume as traded, and silence where it fails."""

from pathlib import Path

import pytest

from include.insight_invest.sources.naver import Naver
from tests.folders import write_naver
from tests.replay import Fault, Replay
from tests.replay_tests.clients import at
from tests.sources.asking import ask, bars, fast, states, wanted

WEEK = {
    "2026-01-05": (1000, 1100, 900, 1050, 500),
    "2026-01-06": (0, 0, 0, 1050, 0),
    "2026-01-07": (1050, 1200, 1000, 1100, 700),
}


@pytest.fixture
def folder(replay: Replay, tmp_path: Path) -> Path:
    """A data folder that the replay serves, with the week of 012345 in it."""
    write_naver(tmp_path, "012345", WEEK)
    replay.load(tmp_path)
    return tmp_path


def test_a_halt_keeps_its_close_and_has_no_other_price(folder: Path) -> None:
    assert bars(ask(Naver(fast()), wanted("012345", session="2026-01-07"))) == [
        ("012345", "2026-01-05", 1000.0, 1100.0, 900.0, 1050.0, 500.0, "2026-01-07"),
        ("012345", "2026-01-06", None, None, None, 1050.0, 0.0, "2026-01-07"),
        ("012345", "2026-01-07", 1050.0, 1200.0, 1000.0, 1100.0, 700.0, "2026-01-07"),
    ]


def test_prices_are_in_the_shares_of_the_newest_day_volume_is_as_traded(folder: Path, replay: Replay) -> None:
    (folder / "naver" / "actions.csv").write_text("code,ex_date,ratio\n012345,2026-01-07,5\n")
    replay.move_clock(at("2026-01-06T12:00"))
    (answer,) = ask(Naver(fast()), wanted("012345", session="2026-01-05"))
    assert bars([answer]) == [("012345", "2026-01-05", 5000.0, 5500.0, 4500.0, 5250.0, 500.0, "2026-01-06")]
    assert not answer.volume_is_adjusted


def test_a_ticker_is_one_request(folder: Path, replay: Replay) -> None:
    (answer,) = ask(Naver(fast()), wanted("012345", session="2026-01-07"))
    assert (answer.requests, replay.counts) == (1, {"naver": 1})


def test_codes_are_text(replay: Replay, tmp_path: Path) -> None:
    for code in ("005930", "0126Z0", "00104K"):
        write_naver(tmp_path, code, WEEK)
    replay.load(tmp_path)
    rows = bars(ask(Naver(fast()), wanted("005930", "0126Z0", "00104K", session="2026-01-05")))
    assert [row[0] for row in rows] == ["005930", "0126Z0", "00104K"]


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        (Fault.TOO_MANY, "throttled", "fchart.stock.naver.com asks to slow down (429)"),
        (Fault.FORBIDDEN, "failed", "fchart.stock.naver.com answered HTTP 403"),
        (Fault.SERVER_ERROR, "failed", "fchart.stock.naver.com answered HTTP 500"),
        (Fault.HTML, "failed", "Naver's answer for 012345 is not a whole chart"),
        (Fault.EMPTY, "failed", "Naver's answer for 012345 is not a whole chart"),
        (Fault.TRUNCATED, "failed", "Naver's answer for 012345 is not a whole chart"),
    ],
)
def test_what_the_library_is_silent_about(folder: Path, replay: Replay, kind: Fault, state: str, reason: str) -> None:
    replay.fault(kind, source="naver")
    (answer,) = ask(Naver(fast(attempts=2)), wanted("012345", session="2026-01-07"))
    assert answer.problems == {"012345": (state, reason)}
    assert replay.counts["naver"] == (1 if state == "throttled" else 2)


def test_the_time_out_reaches_the_library(folder: Path, replay: Replay) -> None:
    replay.fault(Fault.TIMEOUT, source="naver")
    (answer,) = ask(Naver(fast(attempts=1, timeout=0.3)), wanted("012345", session="2026-01-07"))
    assert states([answer]) == {"012345": "failed"}
    assert "ReadTimeout" in answer.problems["012345"][1]


def test_recorded_history_of_samsung(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    rows = bars(ask(Naver(fast()), wanted("005930", session="2026-01-23", start="2026-01-22")))
    assert rows == [
        ("005930", "2026-01-22", 155000.0, 157000.0, 150800.0, 152300.0, 32073624.0, "2026-01-23"),
        ("005930", "2026-01-23", 154700.0, 156000.0, 150100.0, 152100.0, 25195543.0, "2026-01-23"),
    ]
