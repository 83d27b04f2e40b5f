"""Turns at a source: an interval apart over all connections, and up to each process where the table cannot be asked."""

import logging
import threading
from typing import LiteralString

import psycopg
import pytest

from include.insight_invest.errors import Throttled
from include.insight_invest.sources.calling import Pace
from include.insight_invest.store import turns as module
from include.insight_invest.store.turns import SharedTurns

MINUTE = 60.0


def execute(url: str, statement: LiteralString) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_turns_of_two_processes_are_an_interval_apart(database: str) -> None:
    with SharedTurns(database) as one, SharedTurns(database) as other:
        waits = [one.take("yahoo", MINUTE), other.take("yahoo", MINUTE), one.take("yahoo", MINUTE)]
        assert other.take("fred", MINUTE) == 0  # every source has turns of its own
    assert waits[0] == 0
    assert waits[1:] == [pytest.approx(MINUTE, abs=30), pytest.approx(2 * MINUTE, abs=30)]
    next_turns = "select source, round(extract(epoch from next_at - now()) / 60) from insight_request_pace order by 1"
    assert execute(database, next_turns) == [("fred", 1), ("yahoo", 3)]


def test_each_interval_is_exact_however_many_threads_ask(database: str) -> None:
    execute(database, "insert into insight_request_pace values ('yahoo', now() + interval '1 minute', current_date, 0)")
    before = execute(database, "select next_at from insight_request_pace")[0][0]
    with SharedTurns(database) as one, SharedTurns(database) as other:
        threads = [threading.Thread(target=turns.take, args=("yahoo", 0.25)) for turns in (one, other) for _ in "1234"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    (row,) = execute(database, "select next_at, requests from insight_request_pace")
    assert (row[0] - before).total_seconds() == 8 * 0.25  # type: ignore[operator]
    assert row[1] == 8


def test_turns_that_nobody_took_are_not_saved_up(database: str) -> None:
    execute(database, "insert into insight_request_pace values ('yahoo', now() - interval '1 hour', current_date, 7)")
    with SharedTurns(database) as turns:
        assert turns.take("yahoo", MINUTE) == 0
        assert turns.take("yahoo", MINUTE) == pytest.approx(MINUTE, abs=30)


def test_a_clock_that_was_set_back_keeps_nobody_for_ever(database: str) -> None:
    execute(database, "insert into insight_request_pace values ('yahoo', '2999-01-01', current_date, 7)")
    with SharedTurns(database) as turns:
        assert turns.take("yahoo", 0.5) == pytest.approx(1000 * 0.5, abs=1)


def test_requests_are_counted_by_days_of_utc(database: str) -> None:
    execute(
        database,
        "insert into insight_request_pace values ('yahoo', now(), (now() at time zone 'UTC')::date - 1, 700), "
        "('fred', now(), (now() at time zone 'UTC')::date, 20)",
    )
    with SharedTurns(database) as turns:
        for source in ("yahoo", "fred", "fred"):
            turns.take(source, 0.001)
    counted = "select source, requests, day = (now() at time zone 'UTC')::date from insight_request_pace order by 1"
    assert execute(database, counted) == [("fred", 22, True), ("yahoo", 1, True)]


def test_a_server_that_goes_away_is_told_once_and_asked_again(
    database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    end: LiteralString = (
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'insight-invest-pace'"
    )
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0)
    caplog.set_level(logging.INFO, logger=module.__name__)
    with SharedTurns(database) as turns:
        assert turns.take("yahoo", MINUTE) == 0
        execute(database, end)
        assert turns.take("yahoo", MINUTE) is None
        assert turns.take("yahoo", MINUTE) == pytest.approx(MINUTE, abs=30)
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "requests to yahoo and other sources keep to their rates by this process alone, beside what others send: "
        "insight_request_pace cannot be written",
        "the pace of requests is shared by all processes again",
    ]


def test_a_server_that_is_not_there_is_asked_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    with SharedTurns("postgresql://nobody@127.0.0.1:9/nothing") as turns:
        assert [turns.take("yahoo", 0.01) for _ in range(50)] == [None] * 50
    assert len(caplog.records) == 1
    assert "127.0.0.1:9" in caplog.text
    assert "It is asked again every 30 s" in caplog.text


def test_a_row_that_is_kept_locked_is_not_waited_for(database: str, caplog: pytest.LogCaptureFixture) -> None:
    with psycopg.connect(database) as other, SharedTurns(database) as turns:
        other.execute("lock table insight_request_pace")
        assert [turns.take("yahoo", 0.01) for _ in range(50)] == [None] * 50
    assert "canceling statement due to statement timeout" in caplog.text


def test_a_role_without_the_right_is_told_what_to_do(database: str, caplog: pytest.LogCaptureFixture) -> None:
    execute(database, "create role jobs_of_old login password 'secret'")
    try:
        with SharedTurns(f"postgresql://jobs_of_old:secret@{database.split('@')[1]}") as turns:
            assert [turns.take("yahoo", 0.01) for _ in range(50)] == [None] * 50
    finally:
        execute(database, "drop role jobs_of_old")
    assert "permission denied for table insight_request_pace" in caplog.text
    assert "The role of DATABASE_URL may not do that." in caplog.text
    assert "`run_scheduled_job.py db roles`, as the owner, grants" in caplog.text
    assert "secret" not in caplog.text


def test_who_waits_for_a_turn_goes_home_when_the_run_is_stopped(database: str) -> None:
    pace = Pace("yahoo", 1 / MINUTE, SharedTurns(database))
    pace.wait()
    told = list[str]()

    def wait() -> None:
        try:
            pace.wait()
        except Throttled as error:
            told.append(str(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    pace.stop()
    waiting.join(30)
    assert told == ["not asked: yahoo is not to be asked any more in this run"]
