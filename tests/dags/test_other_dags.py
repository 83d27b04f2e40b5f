"""The Dags beside the updaters in real Airflow: what each leaves behind, and says where something is wrong."""

import logging
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include.insight_invest import deployed, health
from include.insight_invest.jobs import DAG_IDS
from include.insight_invest.limits import Limits
from tests.dags.conftest import MIDNIGHT, ended, run_dag, xcom
from tests.fixtures.airflow import ROOT
from tests.replay import Replay
from tests.replay.faults import Fault, Source

pytestmark = pytest.mark.usefixtures("airflow_database", "kept_logging")

IBM = {"tickers": "IBM", "start": "2026-11-02", "end": "2026-11-06"}
US = {"job": "us-price", **IBM}


def count(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def change(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_the_registry_has_every_dag() -> None:
    from airflow.dag_processing.dagbag import DagBag

    assert set(DagBag(ROOT / "dags").dags) == set(DAG_IDS)


def test_what_dags_name_is_what_there_is() -> None:
    """Lists that a Dag file may not take from their modules, as these load the store."""
    from airflow.dag_processing.dagbag import DagBag

    from include.insight_invest.orchestration import canary, integrity

    assert tuple(health.CHECKS) == integrity.CHECKS
    assert (tuple(deployed.ANYWHERE), tuple(deployed.ON_AWS)) == (canary.ANYWHERE, canary.ON_AWS)
    params = DagBag(ROOT / "dags").dags["data_integrity"].params
    assert Limits(**{name: params[name] for name in params}) == Limits()


def test_the_universe_is_synced_and_one_market_does_not_stop_the_other(world: str, replay: Replay) -> None:
    replay.fault(Fault.SERVER_ERROR, source=Source.LISTING)
    run = run_dag("universe_sync", MIDNIGHT)
    assert ended(run) == {"sync_us": "failed", "sync_kr": "success"}
    assert {name: xcom(run, "sync_kr")[name] for name in ("market", "listed", "new", "renames")} == {
        "market": "KR",
        "listed": 140,
        "new": 140,
        "renames": [],
    }
    assert count(world, "tb_job_run") == 1


def test_a_share_that_was_perhaps_renamed_waits_for_an_operator(world: str) -> None:
    assert ended(run_dag("universe_sync", MIDNIGHT)) == {"sync_us": "success", "sync_kr": "success"}
    with psycopg.connect(world) as connection:
        (row,) = connection.execute("select min(ticker) from tb_meta where iso_code = 'KR'").fetchall()
    code = str(row[0])
    change(world, f"update tb_meta set ticker = 'OLD' where ticker = '{code}'")
    told = xcom(run_dag("universe_sync", MIDNIGHT), "sync_kr")
    assert told["renames"] == [["OLD", code]]
    assert f"universe rename OLD {code} --market KR" in told["notes"][-1]
    assert told["new"] == 0


def test_sound_data_is_found_sound(world: str) -> None:
    run_dag("us_price_updater", MIDNIGHT)
    run = run_dag("data_integrity", MIDNIGHT)
    assert set(ended(run).values()) == {"success"}
    assert xcom(run, "freshness")["notes"] == [
        "us-price: 2026-11-19 is there, 2026-11-18 was due",
        "kr-price has never run; its Dag is kr_price_updater",
        "macro has never run; its Dag is macro_updater",
    ]


def test_a_finding_fails_its_check_alone_at_once_and_says_what_to_do(
    world: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dag("us_price_updater", MIDNIGHT)
    change(
        world,
        "insert into tb_quarantine (run_id, meta_id, ticker, trade_date, source, reason, payload, held_at) "
        "values (1, 1, 'AAPL', '2026-11-02', 'yahoo', 'wild', '{\"close\": 1}', '2026-11-05')",
    )
    run = run_dag("data_integrity", MIDNIGHT)
    assert {task for task, state in ended(run).items() if state == "failed"} == {"quarantine"}
    assert {ti.try_number for ti in run.get_task_instances()} == {1}
    assert "1 row held back for more than 7 days, since 2026-11-05 (first: AAPL)" in capsys.readouterr().out
    patient = run_dag("data_integrity", MIDNIGHT, {"held_days": 30})
    assert set(ended(patient).values()) == {"success"}


def test_a_backfill_is_a_dry_run_unless_it_is_told_otherwise(world: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        run = run_dag("backfill", MIDNIGHT, US)
    assert ended(run) == {"prepare": "success", "update": "success", "audit": "skipped"}
    assert (count(world, "tb_job_run"), count(world, "tb_bar")) == (0, 0)
    assert "+ tb_bar IBM 2026-11-06 open=" in caplog.text


def test_a_backfill_loads_its_range_and_tells_the_jobs_asset(world: str) -> None:
    from airflow.models.asset import AssetEvent, AssetModel
    from sqlalchemy import select

    run = run_dag("backfill", MIDNIGHT, US | {"dry_run": False})
    assert ended(run) == {"prepare": "success", "update": "success", "audit": "success"}
    assert (count(world, "tb_job_run"), count(world, "tb_bar")) == (1, 5)
    query = (
        select(AssetModel.name, AssetEvent.extra)
        .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        .where(AssetEvent.source_run_id == run.run_id)
    )
    from airflow.utils.session import create_session

    with create_session() as session:
        events = [tuple(row) for row in session.execute(query)]
    assert events == [("us_prices", xcom(run, "audit"))]


@pytest.mark.parametrize("conf", [{"job": "all"}, {"start": "yesterday"}, {"dry_run": "no"}])
def test_a_backfill_of_what_there_is_not_does_not_begin(world: str, conf: dict[str, Any]) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises((ParamValidationError, ValueError), match="Invalid input for param"):
        run_dag("backfill", MIDNIGHT, conf)


def test_without_a_lake_the_export_is_skipped_and_says_why(world: str) -> None:
    run = run_dag("lake_export", MIDNIGHT)
    assert (run.state, ended(run)) == ("success", {"export": "skipped"})
    assert xcom(run, "export", "reason") == "INSIGHT_LAKE_URL is not set: this installation has no lake"


def test_the_export_writes_the_lake_and_then_nothing(
    world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIGHT_LAKE_URL", str(tmp_path))
    run_dag("us_price_updater", MIDNIGHT)
    first = xcom(run_dag("lake_export", MIDNIGHT), "export")
    assert "prices/market=US/year=2026/part-0.parquet" in first["written"]
    assert xcom(run_dag("lake_export", MIDNIGHT), "export") == first | {"written": []}
