"""What every price source keeps to, whatever its own ways are: one class of tests, run over all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import ACTION_COLUMNS, BAR_COLUMNS, PriceSource, Wanted, batches
from include.insight_invest.sources.naver import Naver
from include.insight_invest.sources.yahoo import Yahoo
from tests.folders import write_chart, write_naver
from tests.replay import Fault, Replay
from tests.sources.asking import ask, bars, fast, states, wanted

SESSION = "2026-01-07"
DAYS = ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08")


@dataclass(frozen=True)
class Case:
    """A source, two tickers it knows, one it does not, and where the replay finds them."""

    name: str
    build: Callable[[Settings], PriceSource]
    known: tuple[str, str]
    unknown: str
    market: str | None
    write: Callable[[Path, str], None]
    match: Callable[[str], str]  # what only the requests for one ticker contain

    def wanted(self, *tickers: str, start: str | None = "2026-01-06") -> list[Wanted]:
        return wanted(*tickers, session=SESSION, start=start, market=self.market)


def american(folder: Path, ticker: str) -> None:
    write_chart(folder, ticker, dict.fromkeys(DAYS, (10.0, 12.0, 9.0, 11.0, 500)))


def naver(folder: Path, ticker: str) -> None:
    write_naver(folder, ticker, dict.fromkeys(DAYS, (10, 12, 9, 11, 500)))


CASES = [
    Case(
        name="yahoo",
        build=lambda settings: Yahoo(settings, "US"),
        known=("ACME", "BOLT"),
        unknown="NOPE",
        market=None,
        write=american,
        match=lambda ticker: f"/chart/{ticker}",
    ),
    Case(
        name="yahoo",
        build=lambda settings: Yahoo(settings, "KR"),
        known=("005930", "0126Z0"),
        unknown="999999",
        market="KOSPI",
        write=naver,  # the replay's Yahoo serves Korean shares from Naver's charts
        match=lambda ticker: f"/chart/{ticker}.KS",
    ),
    Case(
        name="naver",
        build=Naver,
        known=("005930", "0126Z0"),
        unknown="999999",
        market=None,
        write=naver,
        match=lambda ticker: f"symbol={ticker}",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=["yahoo-us", "yahoo-kr", "naver"])
class TestPriceSource:
    """A source answers for everything it is asked, in batches, and raises only when it is of no use at all."""

    @pytest.fixture(autouse=True)
    def _world(self, case: Case, replay: Replay, tmp_path: Path) -> None:
        for ticker in case.known:
            case.write(tmp_path, ticker)
        replay.load(tmp_path)

    def test_bars_are_those_of_the_window(self, case: Case) -> None:
        rows = bars(ask(case.build(fast()), case.wanted(*case.known)))
        assert [row[:7] for row in rows] == [
            (ticker, day, 10.0, 12.0, 9.0, 11.0, 500.0) for ticker in case.known for day in ("2026-01-06", "2026-01-07")
        ]

    def test_without_a_start_the_whole_history_is_given(self, case: Case) -> None:
        rows = bars(ask(case.build(fast()), case.wanted(case.known[0], start=None)))
        assert [row[1] for row in rows] == ["2026-01-05", "2026-01-06", "2026-01-07"]

    def test_an_answer_has_its_columns_and_types(self, case: Case) -> None:
        (answer,) = ask(case.build(fast()), case.wanted(*case.known))
        assert answer.source == case.name
        assert tuple(answer.bars.columns) == BAR_COLUMNS
        assert tuple(answer.actions.columns) == ACTION_COLUMNS
        assert answer.bars["meta_id"].tolist() == [1, 1, 2, 2]
        assert all(isinstance(ticker, str) for ticker in answer.bars["ticker"])
        assert pd.api.types.is_datetime64_any_dtype(answer.bars["trade_date"])
        assert {str(answer.bars[name].dtype) for name in ("open", "high", "low", "close", "volume")} == {"float64"}

    def test_every_ticker_that_was_asked_is_accounted_for(self, case: Case) -> None:
        asked = case.wanted(case.known[0], case.unknown, case.known[1])
        answers = ask(case.build(fast()), asked)
        assert sorted(t.ticker for a in answers for t in a.asked) == sorted(item.target.ticker for item in asked)
        assert states(answers) == {case.unknown: "empty"}
        assert {row[0] for row in bars(answers)} == set(case.known)

    def test_batches_have_at_most_25_tickers(self, case: Case) -> None:
        answers = ask(case.build(fast(attempts=1)), case.wanted(*[case.known[0]] * 26, start="2026-01-07"))
        assert [len(answer.asked) for answer in answers] == [25, 1]

    def test_one_that_fails_does_not_stop_the_others(self, case: Case, replay: Replay) -> None:
        replay.fault(Fault.SERVER_ERROR, match=case.match(case.known[0]))
        answers = ask(case.build(fast(attempts=2)), case.wanted(*case.known))
        assert states(answers) == {case.known[0]: "failed"}
        assert {row[0] for row in bars(answers)} == {case.known[1]}

    @pytest.mark.parametrize("kind", [Fault.SERVER_ERROR, Fault.DROP, Fault.TRUNCATED, Fault.HTML, Fault.TIMEOUT])
    def test_what_passes_is_tried_again(self, case: Case, kind: Fault, replay: Replay) -> None:
        replay.fault(kind, match=case.match(case.known[0]), times=1)
        answers = ask(case.build(fast(timeout=0.5)), case.wanted(*case.known))
        assert states(answers) == {}
        assert {row[0] for row in bars(answers)} == set(case.known)

    def test_after_429_nothing_more_is_asked_and_what_came_stays(self, case: Case, replay: Replay) -> None:
        replay.fault(Fault.TOO_MANY, match=case.match(case.known[1]))
        asked = case.wanted(case.known[0], case.known[1], *[case.unknown] * 30)
        answers = ask(case.build(fast(yahoo_threads=1)), asked)
        assert states(answers) == {case.known[1]: "throttled", case.unknown: "throttled"}
        assert {row[0] for row in bars(answers)} == {case.known[0]}
        before = replay.counts.total()
        assert before == sum(answer.requests for answer in answers)
        assert before < 10  # not one of the thirty was asked for

    def test_requests_are_counted_as_the_server_counts_them(self, case: Case, replay: Replay) -> None:
        replay.fault(Fault.SERVER_ERROR, match=case.match(case.known[0]), times=1)
        answers = ask(case.build(fast()), case.wanted(*case.known, case.unknown))
        assert sum(answer.requests for answer in answers) == replay.counts.total()

    def test_nothing_is_printed(self, case: Case, replay: Replay, capfd: pytest.CaptureFixture[str]) -> None:
        replay.fault(Fault.HTML, match=case.match(case.known[0]))
        ask(case.build(fast(attempts=1)), case.wanted(*case.known, case.unknown))
        assert capfd.readouterr().out == ""

    def test_a_reason_is_a_sentence(self, case: Case, replay: Replay) -> None:
        replay.fault(Fault.DROP, match=case.match(case.known[0]))
        answers = ask(case.build(fast(attempts=1)), case.wanted(*case.known, case.unknown))
        reasons = {ticker: reason for answer in answers for ticker, (_, reason) in answer.problems.items()}
        assert set(reasons) == {case.known[0], case.unknown}
        assert all(case.name in reason.lower() for reason in reasons.values())


def test_batches() -> None:
    assert list(batches("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(batches("", 2)) == []
