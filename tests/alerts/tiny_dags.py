"""Dags for a real scheduler, with the callbacks and deadlines of the product's; a copy lies in a folder of its own."""

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, dag, task

from include.insight_invest.orchestration.alerts.deadlines import with_deadlines
from include.insight_invest.orchestration.defaults import TIMEZONE, dag_arguments

MENDED = Path(__file__).parent / "mended"
ARGUMENTS = dag_arguments(tags=["test"], execution_timeout=timedelta(minutes=5), retries=0)


@task(retries=3, retry_delay=timedelta(seconds=1))
def work(seconds: float) -> None:
    time.sleep(seconds)


@task
def part(number: int) -> None:
    if not MENDED.exists():
        raise RuntimeError(f"part {number} of postgresql://me:hidden@db/name is broken")


@task
def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadlines(tested: DAG, seconds: float) -> DAG:
    after = timedelta(seconds=seconds)
    return with_deadlines(tested, time_out=after, due_after=after, timezone=TIMEZONE)


@dag(dag_id="us_price_updater", schedule="0 0 * * *", **ARGUMENTS)
def late_run() -> None:
    work(25)


@dag(dag_id="on_time", schedule=None, **ARGUMENTS)
def on_time() -> None:
    work(0)


@dag(dag_id="failed_early", schedule=None, **ARGUMENTS)
def failed_early() -> None:
    part.expand(number=[1, 2])


@dag(dag_id="killed_run", schedule=None, **ARGUMENTS)
def killed_run() -> None:
    killed()


# The run of the last midnight is queued after its due hour, which is not told; its time-out passes as its task works.
deadlines(late_run(), 5)
deadlines(on_time(), 40)
deadlines(failed_early(), 40)
killed_run()
