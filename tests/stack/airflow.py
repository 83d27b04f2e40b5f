"""A whole Airflow of its own, spoken to as operators do: by the REST API and the command line.

Its workers are the scheduler's (LocalExecutor), or Celery's with Redis as the broker. No Dag is paused, and schedules
are off, so that nothing runs but what is asked for; ``schedules`` turns them on.
"""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet

from local import ROOT, components, world
from local.processes import Processes
from tests.stack import celery

WAIT_SECONDS = 180
LOG_LINES = 30
# A policy of the installation, as an operator may have one: the Dags themselves stay as they are.
_POLICY = '''"""A retry need not wait until a source has recovered."""
from datetime import timedelta


def task_policy(task):
    task.retry_delay = timedelta(seconds=1)
'''
_SETTINGS = {
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",  # the files do not change
    # A task whose worker has died is found after ten seconds instead of five minutes.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "INSIGHT_SAMPLE_TICKERS": "0",
    "INSIGHT_RETRY_WAIT": "0.01",
    "INSIGHT_TIMEOUT": "120",  # an answer may be held back for as long as a test looks on
}


class Stack:
    """Airflow with its home in ``folder`` and its metadata in the empty database ``metadata``; its Dags update
    ``database`` from the sources that the environment names. ``start`` and ``stop`` it."""

    def __init__(self, folder: Path, *, database: str, metadata: str, with_celery: bool = False) -> None:
        self.home = folder / "airflow"
        self._folder = folder
        self._port = components.free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self._password = secrets.token_urlsafe(12)
        self._others = Processes(folder / "others")
        self._scheduler = Processes(folder / "scheduler")
        users = folder / "users.json"
        users.write_text(json.dumps({components.USER: self._password}))
        kept = {name: Fernet.generate_key().decode() for name in ("fernet", "jwt", "api")}
        self.env = {
            **world.environment(self.home, database, {}),
            **components.configuration(metadata, self.address, users, kept.__getitem__),
            **_SETTINGS,
            "INSIGHT_LAKE_URL": str(folder / "lake"),
        }
        self._with_celery = with_celery
        if with_celery:
            self.env |= celery.configuration(metadata, redis_port=components.free_port())
        self._api: httpx.Client | None = None

    def start(self) -> None:
        """Start everything, and wait until it is healthy and knows every Dag."""
        policy = self.home / "config" / "airflow_local_settings.py"
        policy.parent.mkdir(parents=True)
        policy.write_text(_POLICY)
        world.migrate_airflow(self.env, self._folder / "migrate.log")
        components.import_pools(self.env, self._folder)
        if self._with_celery:
            celery.start(self._others, self._folder, self.env)
        commands = components.commands(self._port)
        self._schedule("False")
        for name in commands.keys() - {"scheduler"}:
            self._others.start(name, commands[name], self.env)
        components.wait(lambda: components.is_healthy(self.address), "Airflow", self._others)
        login = {"username": components.USER, "password": self._password}
        token = httpx.post(f"{self.address}/auth/token", json=login, trust_env=False).json()["access_token"]
        self._api = httpx.Client(
            base_url=f"{self.address}/api/v2",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=60,
        )
        until(self._has_every_dag, "a Dag of every file")

    def stop(self) -> None:
        """Stop every process."""
        if self._api:
            self._api.close()
        self._scheduler.stop()
        self._others.stop()

    def call(self, method: str, path: str, **body: Any) -> Any:
        """What the REST API answers, as JSON."""
        assert self._api is not None, "not started"
        answer = self._api.request(method, path, json=body or None)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def command(self, *arguments: str) -> str:
        """What ``airflow`` says on the command line."""
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def dags(self) -> list[str]:
        """The id of every Dag that the API knows."""
        return sorted(dag["dag_id"] for dag in self._dags())

    def dag(self, dag_id: str) -> dict[str, Any]:
        """What the API says of a Dag."""
        found: dict[str, Any] = self.call("GET", f"/dags/{dag_id}")
        return found

    def pause(self, dag_id: str, *, paused: bool = True) -> None:
        """Pause a Dag, or let it run again."""
        self.call("PATCH", f"/dags/{dag_id}", is_paused=paused)

    def trigger(self, dag_id: str, at: datetime | None, **conf: Any) -> str:
        """Ask for a run whose logical date is ``at`` (None: a run of this moment); its id."""
        asked = self.call("POST", f"/dags/{dag_id}/dagRuns", logical_date=at.isoformat() if at else None, conf=conf)
        return str(asked["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Every run of a Dag, in the order in which they were made."""
        found: list[dict[str, Any]] = self.call("GET", f"/dags/{dag_id}/dagRuns?order_by=id")["dag_runs"]
        return found

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One run."""
        found: dict[str, Any] = self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
        return found

    def finish(self, dag_id: str, run_id: str, state: str = "success") -> dict[str, Any]:
        """Wait until the run has ended, in ``state``: else the logs of its tasks are in the error."""

        def ended() -> bool:
            return self.run(dag_id, run_id)["state"] in ("success", "failed")

        until(ended, f"the end of {dag_id}, {run_id}", lambda: self._said(dag_id, run_id))
        found = self.run(dag_id, run_id)
        assert found["state"] == state, f"{dag_id}, {run_id} is {found['state']}: {self._said(dag_id, run_id)}"
        return found

    def tasks(self, dag_id: str, run_id: str) -> dict[tuple[str, int], tuple[str | None, int]]:
        """{(task, map index): (state, try)} of a run."""
        found = self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {(one["task_id"], one["map_index"]): (one["state"], one["try_number"]) for one in found}

    def clear(self, dag_id: str, run_id: str, *tasks: str) -> None:
        """Let every task of a run that has ended run again, or only ``tasks``."""
        only: dict[str, Any] = {"task_ids": list(tasks)} if tasks else {}
        path = f"/dags/{dag_id}/clearTaskInstances"
        self.call("POST", path, dag_run_id=run_id, dry_run=False, only_failed=False, **only)

    def events(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The asset events of a run."""
        asked = f"/assets/events?source_dag_id={dag_id}&order_by=timestamp&limit=100"
        events = self.call("GET", asked)["asset_events"]
        return [event for event in events if event["source_run_id"] == run_id]

    def forget(self) -> None:
        """Delete every run; one that still is at work is failed first."""
        for dag_id in self.dags():
            for run in self.runs(dag_id):
                path = f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}"
                if run["state"] in ("queued", "running"):
                    self.call("PATCH", path, state="failed")
                self.call("DELETE", path)

    @contextmanager
    def schedules(self) -> Iterator[None]:
        """All Dags are paused, and those that the block lets run follow their schedules."""
        for dag_id in self.dags():
            self.pause(dag_id)
        self._schedule("True")
        try:
            yield
        finally:
            self._schedule("False")
            for dag_id in self.dags():
                self.pause(dag_id, paused=False)

    def _schedule(self, used: str) -> None:
        """Start the scheduler, anew if it runs, with schedules or without."""
        self._scheduler.stop()
        env = {**self.env, "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": used}
        self._scheduler.start("scheduler", components.commands(self._port)["scheduler"], env)

    def _has_every_dag(self) -> bool:
        broken = self.call("GET", "/importErrors")["import_errors"]
        assert broken == []
        files = {file.name for file in (ROOT / "dags").glob("*.py")}
        return {Path(dag["fileloc"]).name for dag in self._dags()} == files

    def _dags(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/dags?limit=100")["dags"]
        return found

    def _said(self, dag_id: str, run_id: str) -> str:
        """The states of a run's tasks, and how their logs end."""
        logs = sorted((self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}").rglob("*.log"))
        ends = ("\n".join([str(log), *log.read_text().splitlines()[-LOG_LINES:]]) for log in logs)
        return "\n".join([str(self.tasks(dag_id, run_id)), *ends])


def until(ready: Callable[[], object], what: str, explain: Callable[[], str] = str) -> None:
    """Wait for ``ready``; ``explain`` says more where it does not come."""
    end = time.monotonic() + WAIT_SECONDS
    while not ready():
        assert time.monotonic() < end, f"{what} did not come within {WAIT_SECONDS} s. {explain()}"
        time.sleep(0.3)
