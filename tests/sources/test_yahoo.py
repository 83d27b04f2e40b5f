"""Yahoo's own ways: what its errors become, bars that are not daily bars, and histories restated by splits."""

import logging
from pathlib import Path

import pytest

from include.insight_invest.errors import SourceUnavailable
from include.insight_invest.sources.yahoo import Yahoo
from tests.folders import write_chart
from tests.replay import Fault, Replay
from tests.replay_tests.clients import at
from tests.sources.asking import actions, ask, bars, fast, states, wanted

WEEK = {
    "2026-01-05": (40.0, 42.0, 39.0, 41.0, 1000),
    "2026-01-06": (41.0, 44.0, 40.0, 44.0, 2000),
    "2026-01-07": (44.0, 48.0, 43.0, 46.0, 3000),
}
CHART = "/chart/ACME"


@pytest.fixture
def folder(replay: Replay, tmp_path: Path) -> Path:
    """A data folder that the replay serves, with the week of ACME in it."""
    write_chart(tmp_path, "ACME", WEEK)
    replay.load(tmp_path)
    return tmp_path


def us(**settings: object) -> Yahoo:
    return Yahoo(fast(**settings), "US")


def test_a_ticker_is_one_request_beside_cookie_and_crumb(folder: Path, replay: Replay) -> None:
    source = us()
    ask(source, wanted("ACME", session="2026-01-07"))
    replay.counts.clear()
    (answer,) = ask(source, wanted("ACME", session="2026-01-07"))
    assert (answer.requests, replay.counts["yahoo"]) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        (Fault.TOO_MANY, "throttled", "Yahoo asks to slow down (429)"),
        (Fault.EMPTY, "empty", "Yahoo has no prices for ACME"),
        (Fault.SERVER_ERROR, "failed", "Yahoo did not answer for ACME: JSONDecodeError"),
        (Fault.FORBIDDEN, "failed", "Yahoo did not answer for ACME: JSONDecodeError"),
        (Fault.HTML, "failed", "Yahoo did not answer for ACME: JSONDecodeError"),
        (Fault.TRUNCATED, "failed", "Yahoo did not answer for ACME: JSONDecodeError"),
        (Fault.TIMEOUT, "failed", "Yahoo did not answer for ACME: Timeout"),
    ],
)
def test_what_yahoo_does_becomes_a_state(folder: Path, replay: Replay, kind: Fault, state: str, reason: str) -> None:
    write_chart(folder, "BOLT", WEEK)
    replay.fault(kind, match=CHART)
    answers = ask(us(attempts=2, timeout=0.4), wanted("ACME", "BOLT", session="2026-01-07"))
    problems = {ticker: problem for answer in answers for ticker, problem in answer.problems.items()}
    assert problems["ACME"] == (state, reason)


def test_an_unknown_symbol_is_empty(folder: Path) -> None:
    answers = ask(us(), wanted("ACME", "NOPE", session="2026-01-07"))
    assert answers[0].problems == {"NOPE": ("empty", "Yahoo has no prices for NOPE")}


def test_a_symbol_without_a_bar_in_the_window_is_empty(folder: Path) -> None:
    answers = ask(us(), wanted("ACME", session="2026-02-03", start="2026-02-02"))
    assert states(answers) == {"ACME": "empty"}
    assert bars(answers) == []


def test_a_retry_is_a_new_request(folder: Path, replay: Replay, caplog: pytest.LogCaptureFixture) -> None:
    """yfinance keeps answers of the past, failures too, in a cache of its process; ours must not see it."""
    replay.fault(Fault.HTML, match=CHART, times=2)
    with caplog.at_level(logging.WARNING):
        answers = ask(us(attempts=3), wanted("ACME", session="2026-01-07"))
    assert len(bars(answers)) == 3
    assert [record.message.split(", again")[0] for record in caplog.records] == [
        f"Yahoo ACME: Yahoo did not answer for ACME: JSONDecodeError; attempt {n} of 3" for n in (1, 2)
    ]


def test_a_first_batch_that_fails_whole_is_an_outage(folder: Path, replay: Replay) -> None:
    replay.fault(Fault.SERVER_ERROR, source="yahoo")
    with pytest.raises(SourceUnavailable, match="Yahoo did not answer"):
        ask(us(attempts=1), wanted("ACME", "BOLT", session="2026-01-07"))


def test_429_stops_the_batches_that_follow(folder: Path, replay: Replay) -> None:
    replay.fault(Fault.TOO_MANY, match="/chart/LAST")
    tickers = ["ACME"] * 24 + ["LAST"] + ["LATE"] * 25
    answers = ask(us(yahoo_threads=1), wanted(*tickers, session="2026-01-07", start="2026-01-07"))
    assert [len(answer.asked) for answer in answers] == [25, 25]
    assert len(bars(answers)) == 24
    assert answers[1].problems == {
        "LATE": ("throttled", "not asked: Yahoo asked to slow down (429) earlier in this run")
    }
    assert answers[1].requests == 0


def test_a_bar_without_prices_is_passed_on_for_the_checks_to_hold(folder: Path, replay: Replay) -> None:
    replay.fault(Fault.NULL_BARS, match=CHART)
    answers = ask(us(), wanted("ACME", session="2026-01-07", start="2026-01-07"))
    assert bars(answers) == [("ACME", "2026-01-07", None, None, None, None, 3000.0, "2026-01-07")]


def test_the_live_bar_of_a_day_under_way_is_not_a_daily_bar(folder: Path, replay: Replay) -> None:
    replay.move_clock(at("2026-01-07T18:00"))
    replay.fault(Fault.LIVE_BAR, match=CHART)
    rows = bars(ask(us(), wanted("ACME", session="2026-01-06", start="2026-01-05")))
    assert [row[1] for row in rows] == ["2026-01-05", "2026-01-06"]


def test_a_repeated_last_bar_counts_once(folder: Path, replay: Replay) -> None:
    replay.move_clock(at("2026-01-07T22:00"))
    replay.fault(Fault.REPEATED_BAR, match=CHART)
    assert bars(ask(us(), wanted("ACME", session="2026-01-07", start="2026-01-07"))) == [
        ("ACME", "2026-01-07", 44.0, 48.0, 43.0, 46.0, 3000.0, "2026-01-07")
    ]


class TestSplit:
    """4:1 on 2026-01-07: Yahoo quotes the days before it in quarters from then on, and dividends too."""

    @pytest.fixture(autouse=True)
    def _world(self, replay: Replay, tmp_path: Path) -> None:
        week = {
            "2026-01-05": (10.0, 10.5, 9.75, 10.25, 4000),
            "2026-01-06": (10.25, 11.0, 10.0, 11.0, 8000),
            "2026-01-07": (11.0, 12.0, 10.75, 11.5, 3000),
        }
        write_chart(tmp_path, "ACME", week, splits={"2026-01-07": (4, 1)}, dividends={"2026-01-06": 0.05})
        replay.load(tmp_path)

    def test_from_its_ex_date_on(self) -> None:
        answers = ask(us(), wanted("ACME", session="2026-01-07"))
        assert bars(answers) == [
            ("ACME", "2026-01-05", 10.0, 10.5, 9.75, 10.25, 4000.0, "2026-01-07"),
            ("ACME", "2026-01-06", 10.25, 11.0, 10.0, 11.0, 8000.0, "2026-01-07"),
            ("ACME", "2026-01-07", 11.0, 12.0, 10.75, 11.5, 3000.0, "2026-01-07"),
        ]
        assert actions(answers) == [
            ("ACME", "2026-01-07", "split", 4.0, "2026-01-07"),
            ("ACME", "2026-01-06", "dividend", 0.05, "2026-01-07"),
        ]

    def test_a_run_of_the_day_before_gives_what_was_quoted_then(self, replay: Replay) -> None:
        asked = wanted("ACME", session="2026-01-06")
        today = ask(us(), asked)
        replay.move_clock(at("2026-01-06T22:00"))
        then = ask(us(), asked)
        assert bars(today) == bars(then)
        assert actions(today) == actions(then)
        assert bars(then) == [
            ("ACME", "2026-01-05", 40.0, 42.0, 39.0, 41.0, 1000.0, "2026-01-06"),
            ("ACME", "2026-01-06", 41.0, 44.0, 40.0, 44.0, 2000.0, "2026-01-06"),
        ]
        assert actions(then) == [("ACME", "2026-01-06", "dividend", 0.2, "2026-01-06")]


def test_each_currency_has_an_answer_of_its_own(folder: Path) -> None:
    write_chart(folder, "PENCE", WEEK, currency="GBp")
    answers = ask(us(), wanted("ACME", "PENCE", "NOPE", session="2026-01-07", start="2026-01-07"))
    assert [(a.currency, [t.ticker for t in a.asked], len(a.bars)) for a in answers] == [
        ("GBp", ["NOPE", "PENCE"], 1),
        ("USD", ["ACME"], 1),
    ]


def test_share_classes_and_preferreds_are_asked_by_yahoos_names(replay: Replay, tmp_path: Path) -> None:
    write_chart(tmp_path, "BRK-A", WEEK)
    write_chart(tmp_path, "ABR-PD", WEEK)
    replay.load(tmp_path)
    rows = bars(ask(us(), wanted("BRK/A", "ABR^D", session="2026-01-07", start="2026-01-07")))
    assert [row[0] for row in rows] == ["BRK/A", "ABR^D"]


def test_korea_has_a_suffix_for_each_market(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    source = Yahoo(fast(), "KR")
    kospi = ask(source, wanted("005930", session="2026-03-19", start="2026-03-19", market="KOSPI"))
    kosdaq = ask(source, wanted("247540", session="2026-03-19", start="2026-03-19", market="KOSDAQ"))
    konex = ask(source, wanted("005930", session="2026-03-19", market="KONEX"))
    assert bars(kospi) == [("005930", "2026-03-19", 199900.0, 205000.0, 199600.0, 200500.0, 19884483.0, "2026-03-19")]
    assert [row[:2] for row in bars(kosdaq)] == [("247540", "2026-03-19")]
    assert (kospi[0].currency, states(konex)) == ("KRW", {"005930": "empty"})


def test_recorded_history_of_nvidia_with_its_split(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    answers = ask(us(), wanted("NVDA", session="2021-07-21", start="2021-07-19"))
    assert [row[1:] for row in bars(answers)] == [
        (
            "2021-07-19",
            17.915250778198242,
            19.04199981689453,
            17.86549949645996,
            18.77975082397461,
            749060000.0,
            "2021-07-21",
        ),
        (
            "2021-07-20",
            18.729999542236328,
            18.83799934387207,
            18.163999557495117,
            18.61199951171875,
            434687000.0,
            "2021-07-21",
        ),
        (
            "2021-07-21",
            18.881999969482422,
            19.527000427246094,
            18.742000579833984,
            19.40999984741211,
            371017000.0,
            "2021-07-21",
        ),
    ]
    assert actions(answers) == [("NVDA", "2021-07-20", "split", 4.0, "2021-07-21")]
