"""Runs that meet each other, and runs that are stopped: by SIGTERM, by SIGKILL, in the network and in the database."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from include.insight_invest import runner
from include.insight_invest.errors import InvariantBroken, LeaseHeld, Terminated
from include.insight_invest.updaters.progress import Run
from tests.fixtures.market import THURSDAY, Market
from tests.replay import Fault
from tests.replay_tests.clients import at

REPOSITORY = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 30


@contextmanager
def process(market: Market, *arguments: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """``run_scheduled_job.py`` at work on Thursday; killed where the test leaves it running."""
    market.replay.move_clock(at("2026-01-08T12:00"))
    command = [sys.executable, "run_scheduled_job.py", "--as-of", THURSDAY, "--json", *arguments]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=market.env | env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def until(condition: Callable[[], bool]) -> None:
    """Wait for ``condition``."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@contextmanager
def advisory_lock(market: Market, name: str) -> Iterator[None]:
    """Another run's lease."""
    with psycopg.connect(market.url, autocommit=True) as other:
        other.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [name])
        yield


class TestLease:
    """One run of a job at a time; shards of it beside each other."""

    def test_a_second_run_is_refused(self, market: Market) -> None:
        with (
            advisory_lock(market, "insight:us-price"),
            pytest.raises(LeaseHeld, match="another run of us-price is at work"),
        ):
            market.run()
        assert market.ledger() == []
        assert market.run().exit_code == 0

    def test_another_job_is_not(self, market: Market) -> None:
        with advisory_lock(market, "insight:us-price"):
            assert market.run("macro").exit_code == 0

    def test_shards_exclude_themselves_and_whole_runs(self, market: Market) -> None:
        with psycopg.connect(market.url, autocommit=True) as other:
            other.execute("select pg_advisory_lock_shared(hashtextextended('insight:us-price', 0))")
            other.execute("select pg_advisory_lock(hashtextextended('insight:us-price:1/2', 0))")
            assert market.run(shard=(2, 2)).exit_code == 0
            with pytest.raises(LeaseHeld):
                market.run(shard=(1, 2))
            with pytest.raises(LeaseHeld):
                market.run()

    def test_the_command_line_ends_with_75(self, market: Market) -> None:
        with advisory_lock(market, "insight:us-price"), process(market, "--job", "us-price") as running:
            out, err = running.communicate(timeout=WAIT_SECONDS)
        assert running.returncode == 75
        assert json.loads(out.splitlines()[-1])["status"] == "refused"
        assert "another run of us-price is at work" in err


class TestSigterm:
    """How Fargate stops a task: the ledger says terminated, the database is whole, the exit code is 143."""

    def test_while_a_source_is_waited_for(self, market: Market) -> None:
        market.replay.fault(Fault.TIMEOUT, source="yahoo")
        with process(market, "--job", "us-price") as running:
            until(lambda: market.replay.counts["yahoo"] >= 3)
            running.send_signal(signal.SIGTERM)
            out, _ = running.communicate(timeout=4)  # less than one time-out of the source
        assert running.returncode == 143
        report = json.loads(out.splitlines()[-1])
        assert (report["status"], report["exit_code"]) == ("terminated", 143)
        (row,) = market.ledger()
        assert row["error"].startswith("stopped by SIGTERM")
        market.audit()

    def test_while_the_database_is_waited_for(self, market: Market) -> None:
        with psycopg.connect(market.url) as other, process(market, "--job", "us-price") as running:
            other.execute("lock table tb_bar in exclusive mode")
            until(lambda: bool(market.rows("select 1 from pg_stat_activity where wait_event_type = 'Lock'")))
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=WAIT_SECONDS)
            assert running.returncode == 143
        assert [(row["status"], row["rows_new"]) for row in market.ledger()] == [("terminated", 0)]
        assert market.rows("select count(*) from tb_bar") == [(0,)]
        market.audit()
        assert market.run().rows.new == 6

    def test_within_a_transaction_the_row_is_closed_on_another_connection(
        self, market: Market, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stopped(work: Run) -> None:
            work.connection.execute("begin")
            work.connection.execute("update tb_job_run set rows_new = 7")
            raise Terminated("stopped by SIGTERM")

        monkeypatch.setattr(runner, "_update", stopped)
        report = market.run()
        assert (report.status, report.exit_code) == ("terminated", 143)
        assert [(row["status"], row["rows_new"]) for row in market.ledger()] == [("terminated", 0)]
        monkeypatch.undo()
        assert market.run().rows.new == 6

    def test_no_other_job_is_begun(self, market: Market) -> None:
        market.replay.fault(Fault.TIMEOUT, source="yahoo")
        with process(market, "--job", "all") as running:
            until(lambda: market.replay.counts["yahoo"] >= 3)
            running.send_signal(signal.SIGTERM)
            out, _ = running.communicate(timeout=WAIT_SECONDS)
        assert running.returncode == 143
        assert [(row["job"], row["status"]) for row in market.ledger()] == [("us-price", "terminated")]
        assert [report["job"] for report in json.loads(out.splitlines()[-1])["reports"]] == ["us-price"]


def test_after_sigkill_the_next_run_closes_the_row_and_completes(market: Market) -> None:
    with process(market, "--job", "us-price") as running, psycopg.connect(market.url) as other:
        other.execute("lock table tb_bar in exclusive mode")
        until(lambda: bool(market.rows("select 1 from pg_stat_activity where wait_event_type = 'Lock'")))
        running.kill()
        running.wait()
    assert [row["status"] for row in market.ledger()] == ["running"]
    with pytest.raises(InvariantBroken, match=r"the newest run of us-price \(1\) is running"):
        market.audit()
    until(lambda: not market.rows("select 1 from pg_locks where locktype = 'advisory'"))
    assert market.run().rows.new == 6
    assert [(row["status"], row["error"]) for row in market.ledger()] == [
        ("lost", "the run died; found by the next one"),
        ("succeeded", None),
    ]
    market.audit()
