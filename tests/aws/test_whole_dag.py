"""The whole Dag with its updater on Fargate: real sources' replay, real database, the real updater as the container."""

from datetime import datetime
from typing import Any

import pytest

from include.insight_invest.jobs import JOBS
from include.insight_invest.orchestration.ecs_operator import command_of
from tests.aws.conftest import Cluster, until
from tests.dags.conftest import run_dag
from tests.fixtures.market import KEY, THURSDAY, Market

pytestmark = pytest.mark.usefixtures("airflow_database", "kept_logging")

AS_OF = datetime.fromisoformat(THURSDAY)
DAG = JOBS["us-price"].dag_id
PARAMS = {"tickers": None, "start": None, "end": None, "dry_run": False, "full_refresh": False}
BARS = [
    ("ACME", "2026-01-05"),
    ("ACME", "2026-01-06"),
    ("ACME", "2026-01-07"),
    ("BOLT", "2026-01-05"),
    ("BOLT", "2026-01-06"),
    ("BOLT", "2026-01-07"),
]


@pytest.fixture
def world(market: Market, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Market:
    """The market on Thursday, nothing loaded; Airflow has the database as a connection, the container as a secret."""
    market.replay.move_clock(AS_OF)
    monkeypatch.setenv("AIRFLOW_CONN_INSIGHT_INVEST", market.url)
    rates = {name: value for name, value in market.env.items() if name.startswith("INSIGHT_") and "ECS" not in name}
    del rates["INSIGHT_EXECUTION"]
    cluster.updater(market.replay.env | rates, {"DATABASE_URL": market.url, "FRED_API_KEY": KEY})
    return market


def tries(run: Any) -> dict[str, tuple[str, int]]:
    return {ti.task_id: (ti.state, ti.try_number) for ti in run.get_task_instances()}


def events() -> list[dict[str, Any]]:
    """What the asset's events tell, newest last."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.query(AssetEvent).filter_by(source_dag_id=DAG).order_by(AssetEvent.id).all()
        return [dict(event.extra) for event in found]


def test_a_run_loads_its_market_and_audit_proves_it(world: Market, cluster: Cluster) -> None:
    run = run_dag(DAG, AS_OF)
    assert tries(run) == {"prepare": ("success", 1), "update": ("success", 1), "audit": ("success", 1)}
    assert [row[:2] for row in world.bars()] == BARS
    [row] = world.ledger()
    assert (row["trigger"], row["status"], row["rows_new"]) == (f"airflow {run.run_id}", "succeeded", 6)
    told = events()[-1]
    assert (told["run_ids"], told["rows"]["new"], told["coverage"]) == ([row["run_id"]], 6, 1.0)
    [update] = [ti for ti in run.get_task_instances() if ti.task_id == "update"]
    report = update.xcom_pull(task_ids="update", map_indexes=0)
    assert (report["run_id"], report["rows"]["new"], "problems" in report) == (row["run_id"], 6, False)
    [task] = cluster.fargate.tasks
    assert world.url not in str(task.overrides)  # the container has it from Secrets Manager


@pytest.mark.parametrize("lost", ["ended", "running"])
def test_a_worker_lost_after_it_started_its_task_does_no_harm(world: Market, cluster: Cluster, lost: str) -> None:
    """Ended: it is submitted again, and finds everything done. Running: the next try reattaches to it."""
    cluster.fargate.lost = lost
    run = run_dag(DAG, AS_OF)
    assert tries(run) == {"prepare": ("success", 1), "update": ("success", 2), "audit": ("success", 1)}
    assert [row[:2] for row in world.bars()] == BARS
    rows = [(row["trigger"], row["status"], row["rows_new"], row["rows_changed"]) for row in world.ledger()]
    first = (f"airflow {run.run_id}", "succeeded", 6, 0)
    assert rows == ([first, (*first[:2], 0, 0)] if lost == "ended" else [first])


def test_a_task_submitted_twice_does_its_work_once(world: Market, cluster: Cluster) -> None:
    """One has the lease; the other waits for it, and finds nothing to do."""
    command = command_of({"job": "us-price", "shard": [1, 1], "as_of": THURSDAY}, PARAMS, "airflow twice")
    tasks = [cluster.start(command), cluster.start(command)]
    until(lambda: all(task.last_status == "STOPPED" for task in tasks))
    assert [task.containers[0].exitCode for task in tasks] == [0, 0]
    assert [row[:2] for row in world.bars()] == BARS
    assert sum(row["rows_new"] for row in world.ledger()) == 6
    world.audit()
