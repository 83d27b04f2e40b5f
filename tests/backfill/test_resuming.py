"""A run over a range, or of the whole history, that was interrupted goes on where it stopped."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures.market import BOLT, RATE, THURSDAY, Market
from tests.folders import write_chart, write_fred
from tests.replay import Fault
from tests.replay_tests.clients import at

REPOSITORY = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 30
MORE = [f"T{first}{second}" for first in "ABCDEF" for second in "ABCDEFGH"]  # two batches with ACME and BOLT
RANGE = ("--start", "2026-01-05", "--end", "2026-01-07")
FULL = ("--full-refresh",)
BATCH = {RANGE: 25, FULL: 10}  # tickers that are asked for, and landed, together


@pytest.fixture
def many(market: Market) -> Market:
    """Fifty tickers: ACME, BOLT, and 48 that are priced as BOLT is."""
    for symbol in MORE:
        write_chart(market.folder, symbol, BOLT)
    market.follow(*MORE)
    market.replay.load(market.folder)
    return market


@contextmanager
def stuck_in_the_second_batch(market: Market, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A run that has landed its first batch, and waits for an answer in its second."""
    market.replay.fault(Fault.TIMEOUT, match=f"/chart/{MORE[BATCH[options] + 5]}")
    market.replay.move_clock(at("2026-01-08T12:00"))
    command = [sys.executable, "run_scheduled_job.py", "--job", "us-price", "--as-of", THURSDAY, *options]
    env = market.env | {"INSIGHT_TIMEOUT": "60"}
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        try:
            until(lambda: bool(market.rows("select 1 from tb_job_run where tickers <> '{}'")))
            yield running
        finally:
            running.kill()
    until(lambda: not market.rows("select 1 from pg_locks where locktype = 'advisory'"))
    market.replay.reset()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize("options", [RANGE, FULL], ids=["range", "full refresh"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_was_stopped_goes_on_where_it_stopped(
    many: Market, options: tuple[str, ...], number: signal.Signals
) -> None:
    landed = BATCH[options]
    with stuck_in_the_second_batch(many, *options) as running:
        running.send_signal(number)
        _, said = running.communicate(timeout=WAIT_SECONDS)
    assert many.ledger()[0]["status"] == ("terminated" if number == signal.SIGTERM else "running"), said
    assert len(many.ledger()[0]["tickers"]["updated"]) == landed
    report = many.run(**({"start": "2026-01-05", "end": "2026-01-07"} if options == RANGE else {"full_refresh": True}))
    assert report.exit_code == 0
    assert report.notes[0] == f"goes on where an interrupted run stopped: {landed} of 50 were landed already"
    assert many.replay.counts["yahoo"] == report.requests <= 50 - landed + 2  # a cookie and a crumb
    assert report.tickers == {"updated": 50 - landed, "unchanged": landed}
    assert many.rows("select count(*), count(distinct meta_id) from tb_bar") == [(150, 50)]
    many.audit()


def test_one_that_finished_asks_again_when_it_is_wanted_again(many: Market) -> None:
    """Whoever repeats a finished range wants to know what the source says now."""
    first = many.run(start="2026-01-05", end="2026-01-07")
    again = many.run(start="2026-01-05", end="2026-01-07")
    assert min(first.requests, again.requests) >= len(MORE) + 2
    assert (again.rows.new, again.rows.changed, again.rows.unchanged) == (0, 0, 150)


@pytest.mark.parametrize(
    "other",
    [
        {"start": "2026-01-06", "end": "2026-01-07"},
        {"start": "2026-01-05"},
        {"full_refresh": True},
        {"start": "2026-01-05", "end": "2026-01-07", "tickers": ("ACME", "BOLT")},
        {"start": "2026-01-05", "end": "2026-01-07", "as_of": "2026-01-20T12:00+00:00"},
    ],
)
def test_another_wish_is_not_spared_anything(market: Market, other: dict[str, object]) -> None:
    settings = market.settings(request_budget=1, yahoo_threads=1)
    market.follow(*MORE)
    assert market.run(start="2026-01-05", end="2026-01-07", settings=settings).exit_code == 3
    report = market.run(**other)  # type: ignore[arg-type]
    assert not [note for note in report.notes if "goes on" in note]


def test_only_the_tickers_that_failed_are_asked_again(many: Market) -> None:
    many.replay.fault(Fault.SERVER_ERROR, match="/chart/T")
    assert many.run(start="2026-01-05", end="2026-01-07", settings=many.settings(attempts=1)).exit_code == 3
    many.replay.reset()
    report = many.run(start="2026-01-05", end="2026-01-07")
    assert report.tickers == {"updated": len(MORE), "unchanged": 2}
    assert report.requests <= len(MORE) + 2


def test_a_daily_run_asks_for_everything(many: Market) -> None:
    assert many.run(settings=many.settings(request_budget=1)).exit_code == 3
    report = many.run()
    assert report.tickers == {"updated": 49, "unchanged": 1}
    assert report.requests >= 50


def test_a_series_that_was_landed_is_not_asked_for_again(market: Market) -> None:
    for series in ("A", "B"):
        write_fred(market.folder, series, RATE)
        market.rows("insert into tb_macro (fred) values (%s)", series)
    market.replay.fault(Fault.SERVER_ERROR, match="series_id=B")
    assert market.run("macro", full_refresh=True, settings=market.settings(attempts=1)).exit_code == 3
    market.replay.reset()
    report = market.run("macro", full_refresh=True)
    assert report.tickers == {"updated": 1, "unchanged": 2}
    assert market.replay.counts["fred"] == report.requests == 2  # its vintage dates, and the vintages
    market.audit("macro")


class TestRequestBudget:
    """INSIGHT_REQUEST_BUDGET: no more tickers are asked than it has requests, and the run says what is left."""

    def test_it_ends_with_3_and_keeps_what_was_loaded(self, many: Market) -> None:
        report = many.run(start="2026-01-05", end="2026-01-07", settings=many.settings(request_budget=10))
        assert (report.exit_code, report.status) == (3, "over_budget")
        assert report.error == (
            "the budget of 10 requests (INSIGHT_REQUEST_BUDGET) is spent and 40 tickers not asked for; what was "
            "loaded stays. Run the same again: it goes on where this one stopped"
        )
        assert many.rows("select count(distinct meta_id) from tb_bar") == [(10,)]
        assert (report.requests, many.replay.counts["yahoo"]) == (10, 10)
        many.audit()
        rest = many.run(start="2026-01-05", end="2026-01-07", settings=many.settings(request_budget=40))
        assert (rest.exit_code, rest.tickers) == (0, {"updated": 40, "unchanged": 10})

    def test_a_budget_that_is_spent_with_the_last_ticker_is_no_failure(self, market: Market) -> None:
        assert market.run(settings=market.settings(request_budget=2)).exit_code == 0

    def test_daily_runs_begin_with_what_is_longest_behind(self, many: Market) -> None:
        """So that runs that cannot ask for everything ask for everything in turn."""
        many.run(settings=many.settings(request_budget=25))
        report = many.run(settings=many.settings(request_budget=25))
        assert (report.exit_code, report.rows.new) == (3, 75)
        assert many.rows("select count(distinct meta_id) from tb_bar") == [(50,)]

    def test_of_macro(self, market: Market) -> None:
        write_fred(market.folder, "A", RATE)
        market.rows("insert into tb_macro (fred) values ('A')")
        report = market.run("macro", full_refresh=True, settings=market.settings(request_budget=1))
        assert (report.exit_code, report.requests) == (3, 2)
        assert market.run("macro", full_refresh=True).tickers == {"unchanged": 1, "updated": 1}
