"""What the server cannot or will not do: each ends with an error that says what was kept and what to do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from pydantic import SecretStr

from include.insight_invest.errors import DatabaseAway, StoreError
from include.insight_invest.store import database
from include.insight_invest.store.database import connect
from include.insight_invest.store.faults import store_error
from include.insight_invest.store.link import connect_patiently
from tests.fixtures.database import Server
from tests.fixtures.market import Market
from tests.outage.conftest import OwnServer
from tests.outage.planted import planted
from tests.outage.proxy import Rule, after, proxied


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        ("53100", "The server's disk, or a quota on it, is full: free space or enlarge the volume"),
        ("53200", "The server is out of memory"),
        ("53300", "The server has no connection left"),
        ("25006", "The server is read-only: a standby, or a failover is under way"),
        ("42501", "The role insight may not do that. Updaters are members of insight_updater"),
        ("57014", "took longer than statement_timeout allows the role insight"),
        ("42P01", "The schema is not this version's: was it changed while this was at work?"),
        ("XX001", "Run the job again"),
    ],
)
def test_each_says_what_was_kept_and_what_to_do(market: Market, state: str, remedy: str) -> None:
    with planted(market, state):
        report = market.run()
    assert (report.status, report.exit_code) == ("failed", 1)
    assert "the open transaction was rolled back, what was committed before stays" in (report.error or "")
    assert remedy in (report.error or "")
    assert [(row["status"], row["error"]) for row in market.ledger()] == [("failed", report.error)]
    assert market.bars() == []
    market.audit()
    assert market.run().rows.new == 6


def test_a_server_that_takes_no_writes(market: Market) -> None:
    with psycopg.connect(market.url, autocommit=True) as connection:
        connection.execute("alter role insight set default_transaction_read_only = on")
        try:
            with pytest.raises(StoreError, match=r"ReadOnlySqlTransaction: .*The server is read-only"):
                market.run()
        finally:
            connection.execute("set default_transaction_read_only = off")
            connection.execute("alter role insight reset default_transaction_read_only")


# Locks -------------------------------------------------------------------------------------------------------------


@contextmanager
def locked(market: Market, statement: bytes) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Another session that has ``statement``'s lock, and does nothing."""
    with psycopg.connect(market.url, application_name="nightly report") as other:
        other.execute(statement)
        yield other


@pytest.mark.parametrize("statement", [b"lock table tb_bar in exclusive mode", b"select * from tb_bar for update"])
def test_who_holds_a_lock_is_told(market: Market, statement: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    market.run()
    market.rows("update tb_bar set volume = volume + 10")  # so that there is something to change
    monkeypatch.setattr(database, "LOCK_TIMEOUT", "1s")
    with locked(market, statement) as other:
        pid = other.info.backend_pid
        report = market.run()
    assert (report.status, report.exit_code) == ("failed", 1)
    assert (
        f"The lock on tb_bar is held by pid {pid} (nightly report, role insight, 127.0.0.1, idle in transaction, "
        "transaction open since 20" in (report.error or "")
    )
    assert "wait for that session or end it, then run again" in (report.error or "")
    market.audit()
    assert market.run().rows.changed == 6


def test_a_lock_that_is_let_go_in_time_is_waited_for(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT", "600ms")
    with locked(market, b"lock table tb_bar in exclusive mode") as other:
        threading.Timer(0.9, other.rollback).start()
        assert market.run().rows.new == 6
    market.audit()


# At the start ------------------------------------------------------------------------------------------------------


def test_a_server_that_comes_up_is_waited_for(own_server: OwnServer, own_market: Market) -> None:
    own_server.stop()
    timer = threading.Timer(0.5, own_server.start)
    timer.start()
    assert own_market.run(settings=own_market.settings(attempts=8, retry_wait=0.2)).rows.new == 6
    timer.join()


@pytest.mark.parametrize(
    ("path", "user", "said"),
    [
        ("/nowhere", None, r'database "nowhere" does not exist\. Check DATABASE_URL'),
        (None, "nobody:at-all", r"password authentication failed .*\. Check DATABASE_URL"),
    ],
)
def test_what_waiting_does_not_mend_fails_at_once(
    market: Market, path: str | None, user: str | None, said: str
) -> None:
    with proxied(market.url) as proxy:
        url = proxy.url.replace("/recycled", path or "/recycled")
        url = f"postgresql://{user}@{url.split('@')[1]}" if user else url
        with pytest.raises(StoreError, match=said) as caught:
            market.run(settings=market.settings().model_copy(update={"database_url": SecretStr(url)}))
        assert not isinstance(caught.value, DatabaseAway)
        assert proxy.connections == 1


def test_a_server_that_is_not_there_is_asked_so_often_as_told(market: Market, caplog: pytest.LogCaptureFixture) -> None:
    settings = market.settings(attempts=4).model_copy(
        update={"database_url": SecretStr("postgresql://insight:hidden-word@127.0.0.1:1/insight")}
    )
    with pytest.raises(DatabaseAway, match="Is it up"), connect_patiently(settings, application="test"):
        pass
    assert [record.message[-5:] for record in caplog.records] == ["try 2", "try 3", "try 4"]
    assert "hidden-word" not in caplog.text


def test_a_server_without_a_connection_left(postgres_server: Server, market: Market) -> None:
    market.rows("create role crowd login password 'crowded' connection limit 0")
    try:
        url = market.url.replace(market.url.split("//")[1].split("@")[0], "crowd:crowded")
        settings = market.settings().model_copy(update={"database_url": SecretStr(url)})
        said = r"too many connections for role.*close idle ones"
        with pytest.raises(DatabaseAway, match=said), connect_patiently(settings, application="test"):
            pass
    finally:
        market.rows("drop role crowd")


# A silent peer -----------------------------------------------------------------------------------------------------


def test_a_peer_that_falls_silent_is_noticed_by_both_ends(database: str) -> None:
    """Keepalives find out within half a minute, where the system's default is two hours."""
    import socket

    with connect(database) as connection:
        shown = connection.execute(
            "select current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'), "
            "current_setting('tcp_keepalives_count')"
        ).fetchone()
        ours = socket.socket(fileno=connection.pgconn.socket)
        try:
            options = [
                ours.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            ]
        finally:
            ours.detach()
    assert shown == ("15", "5", "3")
    assert options == [15, 5, 3, 30_000]


def test_the_url_may_say_otherwise(database: str) -> None:
    url = f"{database}?keepalives_idle=7&options=-c%20work_mem%3D5MB"
    with connect(url) as connection:
        shown = connection.execute("select current_setting('work_mem'), current_setting('timezone')").fetchone()
        assert dict(connection.info.get_parameters())["keepalives_idle"] == "7"
    assert shown == ("5MB", "UTC")


def test_a_statement_that_loses_its_connection_outside_of_a_run(database: str) -> None:
    with proxied(database) as proxy:
        proxy.rule = Rule(after(b"select 4711"))
        with pytest.raises(DatabaseAway, match="The connection was lost"), connect(proxy.url) as connection:
            connection.execute("select 4711")


def test_no_password_in_any_of_them() -> None:
    error = store_error(psycopg.errors.DiskFull("could not extend file\nHINT: s3cret"), role="ann", lost=False)
    assert str(error).startswith("the database failed (DiskFull: could not extend file); the open transaction was")
    assert "s3cret" not in str(error)
