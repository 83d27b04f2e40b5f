"""``airflow dags test`` ends with 0 although the Dag has deadlines, and the scheduler's copy of the Dag has them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.airflow import ROOT
from tests.fixtures.market import Market

# What the dag processor writes for the scheduler.
SHOW = """
import json
from sqlalchemy import select
from airflow.models.deadline_alert import DeadlineAlert
from airflow.models.serialized_dag import SerializedDagModel
from airflow.utils.session import create_session

with create_session() as session:
    query = select(DeadlineAlert).join(SerializedDagModel, DeadlineAlert.serialized_dag_id == SerializedDagModel.id)
    rows = session.scalars(query.where(SerializedDagModel.dag_id == "us_price_updater")).all()
    print(json.dumps(sorted((row.reference["reference_type"], row.callback_def["__data__"]) for row in rows)))
"""


def run(env: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_the_bare_command_ends_with_0_and_the_schedulers_copy_has_its_deadlines(market: Market, tmp_path: Path) -> None:
    """In a home of its own, as in a fresh checkout: the command also writes what the scheduler would read."""
    env = market.env | {"AIRFLOW_HOME": str(tmp_path / "airflow"), "PYTHONPATH": str(ROOT)}
    env["AIRFLOW_CONN_INSIGHT_INVEST"] = market.url
    run(env, "-m", "airflow", "db", "migrate")

    run(env, "-m", "airflow", "dags", "test", "us_price_updater", "2026-01-08")

    assert [row["status"] for row in market.ledger()] == ["succeeded"]
    path = "include.insight_invest.orchestration.alerts.callbacks.late"
    shown = json.loads(run(env, "-c", SHOW).splitlines()[-1])
    assert [(reference, data["path"], data["kwargs"]) for reference, data in shown] == [
        ("DagRunLogicalDateDeadline", path, {"which": "due", "after": 5400.0, "timezone": "Asia/Seoul"}),
        ("DagRunQueuedAtDeadline", path, {"which": "time-out", "after": 1800.0, "timezone": "Asia/Seoul"}),
    ]
