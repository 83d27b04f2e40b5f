"""Airflow's scheduler, dag-processor, triggerer and api-server on 127.0.0.1, on a folder of Dags."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.processes import Processes
from tests.fixtures.airflow import ROOT

WAIT_SECONDS = 240
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Stack:
    """A running Airflow; ``call`` asks its REST API as an administrator."""

    def __init__(self, url: str, processes: Processes) -> None:
        self._url = url
        self._token = ""
        self.processes = processes

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer of ``/api/v2/<path>``."""
        if not self._token:
            with _OPENER.open(f"{self._url}/auth/token", timeout=30) as answer:
                self._token = json.load(answer)["access_token"]
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self._url}/api/v2/{path}", data, headers, method=method)
        with _OPENER.open(request, timeout=60) as answer:
            return json.load(answer)

    def dag_ids(self) -> list[str]:
        """The Dags that the dag-processor has read."""
        return [found["dag_id"] for found in self.call("GET", "dags")["dags"]]

    def trigger(self, dag_id: str) -> str:
        """Start a run by hand, without a logical date; its id."""
        return str(self.call("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        """How far a run is."""
        return str(self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def has_succeeded(self, dag_id: str, run_id: str) -> bool:
        """Whether a run has."""
        return self.state(dag_id, run_id) == "success"

    def is_healthy(self) -> bool:
        """Whether all four are there."""
        try:
            with _OPENER.open(f"{self._url}/api/v2/monitor/health", timeout=10) as answer:
                health = json.load(answer)
        except OSError:
            return False
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    def log(self, name: str) -> str:
        """What a component has logged."""
        return self.processes.log(name).read_text(errors="replace")


@contextmanager
def airflow_stack(
    folder: Path,
    metadata: str,
    dags: Path,
    environment: Mapping[str, str],
    connections: Mapping[str, Mapping[str, Any]],
) -> Iterator[Stack]:
    """Start it on the empty database ``metadata``, which then has the ``connections``; stop it at the end."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    env = {
        **environment,
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(folder / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata.replace("postgresql://", "postgresql+psycopg2://", 1),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",  # a task that is not answered in 5 s, on a busy machine, fails
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API_AUTH__JWT_SECRET": "0123456789abcdef" * 4,
        "AIRFLOW__CORE__FERNET_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    }
    airflow = [sys.executable, "-m", "airflow"]
    processes = Processes(folder / "processes")
    try:
        file = folder / "connections.json"
        file.write_text(json.dumps(connections))
        for command in (["db", "migrate"], ["connections", "import", str(file)]):
            subprocess.run([*airflow, *command], env=env, cwd=ROOT, check=True, capture_output=True)
        api = ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        processes.start("api-server", [*airflow, *api], env)
        processes.start("dag-processor", [*airflow, "dag-processor"], env)
        processes.start("triggerer", [*airflow, "triggerer", "--skip-serve-logs"], env)
        processes.start("scheduler", [*airflow, "scheduler", "--skip-serve-logs"], env)
        stack = Stack(url, processes)
        until(lambda: stack.is_healthy() and stack.dag_ids())
        yield stack
    finally:
        processes.stop()


def until(true: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not after {seconds} s"
        time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
