"""Every Dag runs to success in real Airflow, against the replayed sources, into a real database."""

import logging
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.dags.conftest import MIDNIGHT, run_dag, run_query, states, xcom
from tests.replay import Replay

pytestmark = pytest.mark.usefixtures("airflow_database", "kept_logging")


def ledger(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        query = "select job, status, session_date::text, rows_new, rows_changed from tb_job_run order by run_id"
        return connection.execute(query).fetchall()


@pytest.mark.parametrize(
    ("dag_id", "row"),
    [
        ("us_price_updater", ("us-price", "succeeded", "2026-11-19", 10_842, 0)),
        ("kr_price_updater", ("kr-price", "succeeded", "2026-11-19", 140, 0)),
        ("macro_updater", ("macro", "succeeded", "2026-11-19", 8_362, 0)),
    ],
)
def test_a_dag_updates_its_market_and_a_second_run_changes_nothing(
    world: str, dag_id: str, row: tuple[object, ...]
) -> None:
    assert run_dag(dag_id, MIDNIGHT).state == "success"
    assert run_dag(dag_id, MIDNIGHT).state == "success"
    assert ledger(world) == [row, (*row[:3], 0, 0)]


def test_what_a_run_did_is_seen_in_the_ui(world: str) -> None:
    run = run_dag("us_price_updater", MIDNIGHT)
    assert states(run) == {
        ("prepare", -1): ("success", None),
        ("update", 0): ("success", "2026-11-19 · 4 tickers"),
        ("audit", -1): ("success", None),
    }
    assert xcom(run, "audit") == {
        "job": "us-price",
        "session": "2026-11-19",
        "as_of": "2026-11-20T00:00:00+00:00",
        "run_ids": [1],
        "rows": {"new": 10_842, "changed": 0, "unchanged": 0, "held": 0},
        "coverage": 1.0,
        "expected": 10_842,
        "open_gaps": 0,
    }


def test_the_event_of_the_asset_says_what_came(world: str) -> None:
    from airflow.models.asset import AssetEvent
    from sqlalchemy import select

    run = run_dag("macro_updater", MIDNIGHT)
    (event,) = run_query(select(AssetEvent).where(AssetEvent.source_run_id == run.run_id))
    assert (event.source_task_id, event.extra["job"], event.extra["session"]) == ("audit", "macro", "2026-11-19")
    assert event.extra == xcom(run, "audit")


def test_on_a_closed_day_the_run_ends_green_and_says_why(world: str, replay: Replay) -> None:
    """Thanksgiving 2025: New York's last session is Wednesday's."""
    for day in (datetime(2025, 11, 27, 9, tzinfo=UTC), datetime(2025, 11, 28, 9, tzinfo=UTC)):
        replay.move_clock(day)
        run = run_dag("us_price_updater", day)
        assert run.state == "success"
    assert {task: state for (task, _), (state, _) in states(run).items()} == {
        "prepare": "success",
        "update": "skipped",
        "audit": "skipped",
    }
    assert xcom(run, "prepare", "reason") == (
        "XNYS did not trade on 2025-11-27: the last session, 2025-11-26, was loaded by run 1"
    )
    assert [row[:3] for row in ledger(world)] == [("us-price", "succeeded", "2025-11-26")] * 2


def test_on_a_closed_day_nobody_is_asked_for_a_market_of_two_parts(
    world: str, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.insight_invest.planning.ASKING_SHARE", 0.0000012)
    for day in (datetime(2025, 11, 27, 9, tzinfo=UTC), datetime(2025, 11, 28, 9, tzinfo=UTC)):
        replay.move_clock(day)
        asked = replay.counts.total()
        run = run_dag("us_price_updater", day)
        assert run.state == "success"
    assert replay.counts.total() == asked
    with psycopg.connect(world) as connection:
        rows = connection.execute("select shard, rows_new > 0 from tb_job_run order by run_id").fetchall()
    assert rows == [("1/2", True), ("2/2", True), ("1/2", False), ("2/2", False)]


def test_shards_are_tasks_of_one_run(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("include.insight_invest.planning.ASKING_SHARE", 0.0000012)  # of 1,000 requests a second: two
    run = run_dag("us_price_updater", MIDNIGHT)
    assert run.state == "success"
    assert [label for (task, _), (_, label) in sorted(states(run).items()) if task == "update"] == [
        f"2026-11-19 · part {part} of 2" for part in (1, 2)
    ]
    assert xcom(run, "audit")["rows"]["new"] == 10_842


def test_a_task_that_says_it_is_done_and_is_not_in_the_ledger_is_found(
    world: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("include.insight_invest.orchestration.updater._run", lambda *_: {})
    run = run_dag("us_price_updater", MIDNIGHT)
    assert run.state == "failed"
    assert "the ledger has no successful run of us-price by 'airflow " in capsys.readouterr().out


def test_a_manual_run_without_a_logical_date_looks_at_the_world_when_it_was_asked(world: str) -> None:
    run = run_dag("us_price_updater", None)
    assert run.state == "success"
    assert run.logical_date is None
    with psycopg.connect(world) as connection:
        assert connection.execute("select as_of from tb_job_run").fetchone() == (run.run_after,)


def test_a_dry_run_logs_the_difference_and_writes_nothing(world: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        run = run_dag("us_price_updater", MIDNIGHT, {"dry_run": True, "tickers": "IBM"})
    assert run.state == "success"
    assert ledger(world) == []
    with psycopg.connect(world) as connection:
        assert connection.execute("select count(*) from tb_bar").fetchone() == (0,)


def test_tickers_start_and_end_reach_the_updater(world: str) -> None:
    conf = {"tickers": "IBM, AAPL", "start": "2026-11-02", "end": "2026-11-06"}
    assert run_dag("us_price_updater", MIDNIGHT, conf).state == "success"
    with psycopg.connect(world) as connection:
        days = connection.execute(
            "select ticker, min(trade_date)::text, max(trade_date)::text, count(*) "
            "from tb_bar join tb_meta using (meta_id) group by 1 order by 1"
        ).fetchall()
    assert days == [("AAPL", "2026-11-02", "2026-11-06", 5), ("IBM", "2026-11-02", "2026-11-06", 5)]


def test_a_wrong_call_fails_at_once_without_a_retry(world: str) -> None:
    run = run_dag("us_price_updater", MIDNIGHT, {"tickers": "NOSUCH"})
    assert run.state == "failed"
    states = {ti.task_id: (ti.state, ti.try_number) for ti in run.get_task_instances()}
    assert states["prepare"] == ("failed", 1)
    assert ledger(world) == []  # refused before it was a run


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        (None, "Airflow has no connection insight_invest"),
        ("mysql://me@db/insight", "is of type mysql, it must be Postgres"),
    ],
)
def test_a_missing_or_wrong_connection_fails_at_once_and_says_what_to_set(
    world: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], uri: str | None, words: str
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_INSIGHT_INVEST")
    if uri:
        monkeypatch.setenv("AIRFLOW_CONN_INSIGHT_INVEST", uri)
    run = run_dag("us_price_updater", MIDNIGHT)
    assert run.state == "failed"
    states = {ti.task_id: (ti.state, ti.try_number) for ti in run.get_task_instances()}
    assert states["prepare"] == ("failed", 1)
    assert words in capsys.readouterr().out


def test_a_day_before_the_calendars_fails(world: str) -> None:
    assert run_dag("us_price_updater", datetime(1980, 1, 1, tzinfo=UTC)).state == "failed"
