"""A real scheduler and a real triggerer: a triggerer that goes away leaves the ECS task running, a task instance that
somebody gives up does not."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include.insight_invest.jobs import JOBS
from local.processes import Processes
from tests.aws.conftest import Cluster, until
from tests.aws.test_ends import WAITS
from tests.fixtures.airflow import ROOT
from tests.fixtures.database import Server
from tests.fixtures.market import Market

DAG = JOBS["us-price"].dag_id


class Stack:
    """Airflow's components on 127.0.0.1, but for the triggerer, which a test starts and stops."""

    def __init__(self, env: dict[str, str], metadata: str, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self._base = f"http://127.0.0.1:{self._port}"
        self._metadata = metadata
        self._env = {
            **env,
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata.replace("postgresql://", "postgresql+psycopg2://", 1),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self._base}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__API_AUTH__JWT_SECRET": "0123456789abcdef" * 4,
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        }
        self._processes, self._triggerers = Processes(folder / "stack"), Processes(folder / "triggerers")

    def start(self) -> None:
        """All of it."""
        for arguments in (("db", "migrate"), ("pools", "set", "yahoo", "4", "test"), ("dags", "reserialize")):
            self.airflow(*arguments)
        self._start(self._processes, "api-server", "--host", "127.0.0.1", "--port", str(self._port), "--workers", "1")
        until(self._answers, 240)  # a task that starts before the API server fails
        self._start(self._processes, "scheduler", "--skip-serve-logs")
        self.start_triggerer()

    def start_triggerer(self) -> None:
        """A triggerer beside the rest."""
        self._start(self._triggerers, "triggerer", "--skip-serve-logs")

    def stop_triggerer(self) -> None:
        """End the triggerer as a deployment does, by SIGTERM."""
        self._triggerers.stop()

    def stop(self) -> None:
        """All of it."""
        self._triggerers.stop()
        self._processes.stop()

    def airflow(self, *arguments: str) -> None:
        """Run one command to its end."""
        command = [sys.executable, "-m", "airflow", *arguments]
        done = subprocess.run(command, env=self._env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def ask(self, method: str, path: str, body: dict[str, Any]) -> None:
        """A call of the REST API, as the UI makes it."""
        token = json.loads(self._open(urllib.request.Request(f"{self._base}/auth/token")))["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode()
        self._open(urllib.request.Request(f"{self._base}/api/v2/{path}", data, headers, method=method))

    def _answers(self) -> bool:
        try:
            return bool(self._open(urllib.request.Request(f"{self._base}/api/v2/version")))
        except OSError:
            return False

    @staticmethod
    def _open(request: urllib.request.Request) -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return bytes(answer.read())

    def state(self, task_id: str = "update") -> str | None:
        """The state of the first instance of ``task_id``."""
        with psycopg.connect(self._metadata) as connection:
            query = (
                "select state from task_instance where task_id = %s and map_index in (0, -1) order by map_index desc"
            )
            row = connection.execute(query, [task_id]).fetchone()
        return row[0] if row else None

    def tries(self) -> int:
        """How often `update` was started."""
        with psycopg.connect(self._metadata) as connection:
            row = connection.execute("select max(try_number) from task_instance where task_id = 'update'").fetchone()
        return int(row[0]) if row else 0

    def _start(self, processes: Processes, name: str, *arguments: str) -> None:
        processes.start(name, [sys.executable, "-m", "airflow", name, *arguments], self._env)


@pytest.fixture
def stack(market: Market, cluster: Cluster, postgres_server: Server, tmp_path: Path) -> Iterator[Stack]:
    """Airflow, with updaters on the cluster."""
    env = market.env | cluster.env | cluster.fargate.env | {"AIRFLOW_CONN_INSIGHT_INVEST": market.url}
    made = Stack(env, postgres_server.create("airflow_triggerer"), tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.mark.timeout(600)
def test_only_a_task_instance_that_is_given_up_takes_its_ecs_task_with_it(stack: Stack, cluster: Cluster) -> None:
    fargate = cluster.fargate
    cluster.program(WAITS)
    stack.airflow("dags", "trigger", DAG, "--run-id", "by_hand", "--logical-date", "2026-01-08T12:00:00+00:00")
    until(lambda: stack.state() == "deferred" and fargate.asked and fargate.running(), 240)

    stack.stop_triggerer()
    [first], asked = fargate.tasks, fargate.asked
    assert (stack.state(), first.last_status, first.desired_status) == ("deferred", "RUNNING", "RUNNING")

    stack.start_triggerer()
    until(lambda: fargate.asked > asked, 240)
    run = f"dags/{DAG}/dagRuns/by_hand"
    stack.ask("PATCH", f"{run}/taskInstances/update/0", {"new_state": "failed"})
    until(lambda: first.last_status == "STOPPED")
    assert (first.stop_code, first.containers[0].exitCode) == ("UserInitiated", 143)
    assert first.stopped_reason == "Airflow: its task is failed"

    # Cleared, it is run again; cleared while it is deferred, its next try takes over what is running.
    clear = {"dag_run_id": "by_hand", "task_ids": ["update"], "dry_run": False, "only_failed": False}
    for tries in (2, 3):
        stack.ask("POST", f"dags/{DAG}/clearTaskInstances", clear)
        until(lambda wanted=tries: stack.tries() == wanted and stack.state() == "deferred", 240)  # type: ignore[misc]
        asked = fargate.asked
        until(lambda before=asked: fargate.asked > before, 240)  # type: ignore[misc]
    [_, second] = fargate.tasks
    assert (second.last_status, second.desired_status) == ("RUNNING", "RUNNING")

    stack.ask("PATCH", f"{run}/taskInstances/update/0", {"new_state": "success"})
    until(lambda: second.last_status == "STOPPED")
    assert second.stopped_reason == "Airflow: its task is success"
