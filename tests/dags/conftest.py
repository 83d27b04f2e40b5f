"""The demonstration's world as Airflow's tasks see it, and a Dag run in it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local import demo_data
from tests.fixtures.airflow import ROOT
from tests.fixtures.market import RATES
from tests.replay import Replay
from tests.replay_tests.clients import KEY

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)  # what `airflow dags test DAG 2026-11-20` gives


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_data.build(tmp_path_factory.mktemp("demo") / "data")


@pytest.fixture
def world(demo_folder: Path, replay: Replay, database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The demonstration's sources and an empty migrated database, as Airflow's tasks see them; the database's URL."""
    from include.insight_invest.store.database import connect
    from include.insight_invest.universe.import_file import import_series, import_universe

    replay.load(demo_folder)
    replay.move_clock(MIDNIGHT)
    with connect(database) as connection:
        import_universe(connection, demo_folder / "universe.csv")
        import_series(connection, demo_folder / "macro_series.csv")
    monkeypatch.setenv("AIRFLOW_CONN_INSIGHT_INVEST", database)
    monkeypatch.setenv("FRED_API_KEY", KEY)
    for rate in RATES:
        monkeypatch.setenv(f"INSIGHT_{rate.upper()}", "1000")
    return database


def run_dag(dag_id: str, logical_date: datetime | None, conf: dict[str, Any] | None = None) -> Any:
    """Run the Dag as `airflow dags test` does, without the pause before a retry; returns the run."""
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(ROOT / "dags").dags[dag_id]
    for task in dag.tasks:
        task.retry_delay = timedelta(0)
    return dag.test(logical_date=logical_date, run_conf=conf or {})


def xcom(run: Any, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
    """What a task of the run has left under ``key``."""
    from airflow.models.xcom import XComModel

    query = XComModel.get_many(run_id=run.run_id, dag_ids=run.dag_id, task_ids=task_id, key=key, map_indexes=map_index)
    found = run_query(query)
    return XComModel.deserialize_value(found[0]) if found else None


def run_query(query: Any) -> Any:
    from airflow.utils.session import create_session

    with create_session() as session:
        return session.scalars(query).all()


def states(run: Any) -> dict[tuple[str, int], tuple[str, str | None]]:
    """{(task, map index): (state, label)}."""
    return {
        (ti.task_id, ti.map_index): (str(ti.state), ti.rendered_map_index or None) for ti in run.get_task_instances()
    }


def ended(run: Any) -> dict[str, str]:
    """{task: state} of a run without mapped tasks, or with one of each."""
    return {task: state for (task, _), (state, _) in states(run).items()}
