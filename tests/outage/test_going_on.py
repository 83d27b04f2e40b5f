"""A run whose connection is lost goes on: what was not committed is done again, and nothing is done twice."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from include.insight_invest.errors import DatabaseAway, LeaseHeld
from tests.fixtures.market import Market
from tests.folders import Bar, write_chart
from tests.outage import LONG
from tests.outage.conftest import OwnServer, empty
from tests.outage.events import befalling, end
from tests.outage.planted import planted
from tests.outage.proxy import Proxy, Rule, after, after_bytes, behind, proxied
from tests.replay import Fault
from tests.runner.test_stopping import process, until

TIMES = ("started_at", "finished_at")
STARTED = 6  # the first use of the connection after the ledger row is open: version, universe, lease twice, row


def content(market: Market) -> dict[str, list[Any]]:
    """Every table, without the clock's times in the ledger."""
    rows = [{name: value for name, value in row.items() if name not in TIMES} for row in market.ledger()]
    return market.dump("tb_job_run") | {"tb_job_run": rows}


def reset(market: Market) -> None:
    """As the fixture made it, with Korea's shares known: a rolled back insert would use up their numbers."""
    empty(market.url)
    market.follow("ACME", "BOLT")
    market.follow("005930", "0126Z0", iso_code="KR", market="KOSPI")
    market.follow("247540", iso_code="KR", market="KOSDAQ")
    market.rows("insert into tb_macro (fred, description) values ('RATE', 'A rate')")


@pytest.mark.parametrize(("job", "every"), [("us-price", 11), ("kr-price", 13), ("macro", 4)])
def test_ended_at_any_use_of_its_connection_a_run_ends_as_if_nothing_had_been(
    market: Market, job: str, every: int
) -> None:
    market.run(job)  # Yahoo's session is signed in
    reset(market)
    with befalling(None, end) as counted:
        undisturbed = market.run(job)
    expected = content(market)
    for number in range(STARTED, counted.events + 1, 1 if LONG else every):
        reset(market)
        with befalling(number, end):
            report = market.run(job)
        assert content(market) == expected, f"ended at use {number} of {counted.events}"
        assert replace_seconds(report.model_dump()) == replace_seconds(undisturbed.model_dump())
    market.audit(job)


@pytest.mark.parametrize("job", ["us-price", "kr-price", "macro"])
@pytest.mark.parametrize("number", [1, 2])
def test_ended_just_before_a_commit(market: Market, job: str, number: int) -> None:
    """The server's last word comes where an answer to the COMMIT is expected."""
    expected = market.run(job, dry_run=True).rows
    with befalling(number, end, of="Transaction._exit_gen"):
        report = market.run(job)
    assert (report.exit_code, report.rows) == (0, expected)
    assert [row["rows_unchanged"] for row in market.ledger()] == [0]
    market.audit(job)


def replace_seconds(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what its time was."""
    return report | {"seconds": 0}


@pytest.fixture
def through(market: Market) -> Any:
    """A market whose runs reach the database through a proxy."""
    with proxied(market.url) as proxy:
        yield proxy


def run_through(market: Market, proxy: Proxy, job: str = "us-price", **options: Any) -> Any:
    """Run ``job`` with the proxy's URL."""
    return replace(market, url=proxy.url).run(job, **options)


@pytest.mark.parametrize("job", ["us-price", "kr-price", "macro"])
class TestCut:
    """The network loses a connection at the worst places."""

    def test_within_a_copy(self, market: Market, through: Proxy, job: str) -> None:
        through.rule = Rule(after(b"PGCOPY\n\xff\r\n"))
        report = run_through(market, through, job)
        assert (report.exit_code, through.cuts) == (0, 1)
        assert [row["rows_unchanged"] for row in market.ledger()] == [0]
        market.audit(job)

    def test_the_answer_of_a_commit_is_lost_and_the_batch_is_not_done_again(
        self, market: Market, through: Proxy, job: str
    ) -> None:
        expected = market.run(job, dry_run=True).rows
        through.rule = Rule(after_second(b"COMMIT\0") if job == "kr-price" else after(b"COMMIT\0"), answered=True)
        report = run_through(market, through, job)
        assert (report.exit_code, through.cuts, report.rows) == (0, 1, expected)
        (row,) = market.ledger()
        assert (row["rows_new"], row["rows_unchanged"]) == (expected.new, 0)
        market.audit(job)

    def test_the_answer_to_the_end_of_the_run_is_lost(self, market: Market, through: Proxy, job: str) -> None:
        through.rule = Rule(behind(b"set status = $1"), answered=True)
        report = run_through(market, through, job)
        assert (report.exit_code, through.cuts) == (0, 1)
        assert [row["status"] for row in market.ledger()] == ["succeeded"]
        market.audit(job)

    def test_a_server_that_was_not_told_gives_the_lease_back_to_its_run(
        self, market: Market, through: Proxy, job: str
    ) -> None:
        through.rule = Rule(after(b"PGCOPY\n\xff\r\n"), half=True)
        report = run_through(market, through, job)
        assert (report.exit_code, through.cuts) == (0, 1)
        market.audit(job)


def after_second(pattern: bytes) -> Callable[[bytes], int | None]:
    """Just behind the second ``pattern``: the first commit of a Korean run is that of its definitions."""
    seen = 0
    first = after(pattern)

    def cut(data: bytes) -> int | None:
        nonlocal seen
        place = first(data)
        seen += place is not None
        return place if seen == 2 else None

    return cut


def long_history(days: int) -> dict[str, Bar]:
    """That many weekdays before 8 January 2026, whose closes go up and down."""
    from datetime import date, timedelta

    from include.insight_invest import sessions

    last = date(2026, 1, 7)
    listed = sessions.sessions("XNYS", last - timedelta(days=days * 7 // 5 + 60), last)[-days:]
    return {str(day): (50.0, 53.0, 49.0, 50.0 + n % 3, 1000 + n) for n, day in enumerate(listed)}


@pytest.mark.parametrize("kilobytes", [100, 200, 300])
def test_within_a_long_copy(market: Market, through: Proxy, kilobytes: int) -> None:
    write_chart(market.folder, "BOLT", long_history(5_000))  # 420 kB
    market.replay.load(market.folder)
    expected = market.run(dry_run=True).rows
    assert expected.new > 4_500
    through.rule = Rule(after_bytes(kilobytes * 1024))
    report = run_through(market, through)
    assert (report.exit_code, through.cuts, report.rows) == (0, 1, expected)
    market.audit()


def test_a_dry_run_is_not_repeated_and_writes_nothing(market: Market, through: Proxy) -> None:
    before = market.dump()
    through.rule = Rule(after(b"PGCOPY\n\xff\r\n"))
    with pytest.raises(DatabaseAway, match="The connection was lost: the server's log says why"):
        run_through(market, through, dry_run=True)
    assert (through.connections, market.dump()) == (2, before)  # the run's, and that of its pace


def test_a_connection_that_is_lost_in_each_try_ends_the_run(market: Market, through: Proxy) -> None:
    through.rule = Rule(after(b"PGCOPY\n\xff\r\n"), times=1000)
    report = run_through(market, through)
    assert (report.status, report.exit_code, through.cuts) == ("failed", 1, 3)  # INSIGHT_ATTEMPTS
    assert "The connection was lost: the server's log says why" in (report.error or "")
    assert [(row["status"], row["rows_new"]) for row in market.ledger()] == [("failed", 0)]
    through.rule = None
    assert run_through(market, through).rows.new == 6
    market.audit()


def test_another_run_that_took_the_lease_meanwhile_goes_before(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    def end_and_take(connection: psycopg.Connection[Any]) -> None:
        end(connection)
        other = psycopg.connect(market.url, autocommit=True)
        other.execute("select pg_advisory_lock(hashtextextended('insight:us-price', 0))")
        others.append(other)

    others: list[psycopg.Connection[Any]] = []
    with befalling(30, end_and_take), pytest.raises(LeaseHeld, match="another run of us-price is at work"):
        market.run()
    assert [(row["status"], row["rows_new"]) for row in market.ledger()] == [("running", 0)]
    others[0].close()
    assert market.run().rows.new == 6
    assert [row["status"] for row in market.ledger()] == ["lost", "succeeded"]


def test_another_run_that_came_and_went_meanwhile_goes_before(market: Market) -> None:
    def end_and_run(connection: psycopg.Connection[Any]) -> None:
        end(connection)
        assert market.run().rows.new == 6

    with befalling(30, end_and_run), pytest.raises(LeaseHeld, match="another run took the lease and closed run 1 as"):
        market.run()
    assert [(row["status"], row["rows_new"]) for row in market.ledger()] == [("lost", 0), ("succeeded", 6)]
    market.audit()


class TestServer:
    """The server itself stops at once, as with its machine."""

    @pytest.mark.parametrize("number", [12, 35, 42])
    def test_it_comes_back_after_a_second(self, own_server: OwnServer, own_market: Market, number: int) -> None:
        def stop(_: object) -> None:
            own_server.stop()
            threading.Timer(1, own_server.start).start()

        with befalling(number, stop):
            report = own_market.run()
        assert (report.exit_code, report.rows.new) == (0, 6)
        assert [row["status"] for row in own_market.ledger()] == ["succeeded"]
        own_market.audit()

    def test_it_is_away_while_the_run_waits_for_its_source(
        self, own_server: OwnServer, own_market: Market, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from include.insight_invest.sources.yahoo import Yahoo

        ask = Yahoo.prices

        def restarting(*arguments: Any) -> Any:
            own_server.stop()
            own_server.start()
            return ask(*arguments)

        monkeypatch.setattr(Yahoo, "prices", restarting)
        assert own_market.run().exit_code == 0
        own_market.audit()

    def test_it_stays_away(self, own_server: OwnServer, own_market: Market) -> None:
        began = time.monotonic()
        with (
            befalling(30, lambda _: own_server.stop()),
            pytest.raises(DatabaseAway, match=r"did not come back within 1 s \(INSIGHT_DATABASE_WAIT\).*Is it up\?"),
        ):
            own_market.run(settings=own_market.settings(database_wait=1))
        assert time.monotonic() - began < 60
        own_server.start()
        assert own_market.run().rows.new == 6
        assert [row["status"] for row in own_market.ledger()] == ["lost", "succeeded"]
        own_market.audit()


def test_sigterm_while_the_database_is_away(own_server: OwnServer, own_market: Market) -> None:
    """Nobody can be told; the process ends in time, and the next run closes the row."""
    own_market.replay.fault(Fault.TIMEOUT, source="yahoo")
    with process(own_market, "--job", "us-price") as running:
        until(lambda: own_market.replay.counts["yahoo"] >= 1)
        own_server.stop()
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)
    assert running.returncode == 143
    own_server.start()
    own_market.replay.reset()
    own_market.replay.load(own_market.folder)
    assert own_market.run().rows.new == 6
    assert [row["status"] for row in own_market.ledger()] == ["lost", "succeeded"]
    own_market.audit()


class TestRace:
    """What another session wins is tried again."""

    @pytest.mark.parametrize("state", ["40001", "40P01"])
    def test_one_that_is_lost_once(self, market: Market, state: str) -> None:
        with planted(market, state, times=1):
            assert market.run().rows.new == 6
        market.audit()

    def test_one_that_is_always_lost(self, market: Market) -> None:
        with planted(market, "40001", times=1000):
            report = market.run()
            assert market.rows("select last_value from failures.tries") == [(3,)]  # INSIGHT_ATTEMPTS
        assert (report.status, report.exit_code) == ("failed", 1)
        assert "SerializationFailure" in (report.error or "")
        assert "Run the job again" in (report.error or "")
        assert [(row["status"], row["rows_new"]) for row in market.ledger()] == [("failed", 0)]
        market.audit()
