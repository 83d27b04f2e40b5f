"""``airflow backfill create`` over a past range, by a real scheduler, gives what the daily runs gave."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from local.processes import Processes
from tests.backfill.test_equality import LATER, World, daily, evening, world
from tests.fixtures.airflow import ROOT
from tests.fixtures.database import Server
from tests.model.world import DAYS

assert world  # a fixture
SESSIONS = DAYS[3:7]  # from a Thursday to the Tuesday after: 4 runs, the first of them on the day of a split
WAIT_SECONDS = 240
DAG = "us_price_updater"


@pytest.fixture
def airflow(postgres_server: Server, world: Callable[[], World], tmp_path: Path) -> Iterator[Callable[..., str]]:
    """An ``airflow`` command with a home, a metadata database, an API server and a scheduler of its own; schedules are
    off, so that nothing runs but what is asked for."""
    metadata = postgres_server.create("airflow_backfill").replace("postgresql://", "postgresql+psycopg2://", 1)
    port = _free_port()
    env = {
        **world().market.env,
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API_AUTH__JWT_SECRET": "0123456789abcdef" * 4,
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "AIRFLOW_CONN_INSIGHT_INVEST": world().market.url,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

    def command(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    command("db", "migrate")
    command("dags", "reserialize")
    processes = Processes(tmp_path / "processes")
    api = ("api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    for name, arguments in {"api-server": api, "scheduler": ("scheduler", "--skip-serve-logs")}.items():
        processes.start(name, [sys.executable, "-m", "airflow", *arguments], env)
    try:
        yield command
    finally:
        processes.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.timeout(600)
def test_a_backfill_gives_what_the_daily_runs_gave(world: Callable[[], World], airflow: Callable[..., str]) -> None:
    at_the_time = world()
    daily(at_the_time, "us-price", SESSIONS)
    expected = at_the_time.found()
    afterwards = world()
    afterwards.answer(LATER)
    first, last = evening("us-price", SESSIONS[0]), evening("us-price", SESSIONS[-1])
    airflow("backfill", "create", "--dag-id", DAG, "--from-date", first.isoformat(), "--to-date", last.isoformat())
    runs = _until_finished(afterwards, len(SESSIONS))
    assert sorted(as_of for as_of, _ in runs) == [evening("us-price", day) for day in SESSIONS]
    assert {status for _, status in runs} == {"succeeded"}
    assert afterwards.found() == expected
    afterwards.market.audit()


def _until_finished(world: World, count: int) -> list[tuple[datetime, str]]:
    end = time.monotonic() + WAIT_SECONDS
    while True:
        runs = world.market.rows("select as_of, status from tb_job_run where status <> 'running'")
        if len(runs) >= count:
            return runs
        assert time.monotonic() < end, runs
        time.sleep(0.5)
