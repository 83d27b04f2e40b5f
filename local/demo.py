"""``make demo``: the three Dags through real Airflow, from replayed sources into a real PostgreSQL.

Exits 1 if anything failed, and says what and where its log is.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from include.insight_invest.console import runs_table
from include.insight_invest.errors import InsightError
from include.insight_invest.jobs import JOBS, Job
from include.insight_invest.store.database import connect
from include.insight_invest.store.read import LedgerRow, holdings, runs_since
from local import LOCAL, demo_data, run_dag, shown, world

LOGS = LOCAL / "demo"
_PROGRESS = re.compile(r"(\d+) of (\d+) tickers")

console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def main() -> int:
    """Build the world, run every Dag in it, show the ledger. Returns the exit code."""
    LOGS.mkdir(parents=True, exist_ok=True)
    console.print(f"Insight-Invest, as of {world.instant_of(world.DEMO_DAY):%Y-%m-%d %H:%M} UTC. The data:")
    for name, sentence in demo_data.PROVENANCE.items():
        console.print(f"  {name}: {sentence}", markup=False)
    console.print()
    try:
        with world.replayed(world.instant_of(world.DEMO_DAY)) as replay:
            return _run(replay.env)
    except (InsightError, OSError) as error:
        console.print(f"make demo stopped: {error}", style="red", markup=False)
        return 1


def _run(replay_env: dict[str, str]) -> int:
    with _step("PostgreSQL, schema and universe"):
        url = world.prepare_database()
    env = world.environment(run_dag.HOME, url, replay_env)
    with _step("Airflow's own database"):
        world.migrate_airflow(env, LOGS / "migrate.log")
    with connect(url) as connection:
        before = max((run.run_id for run in runs_since(connection, 0)), default=0)
        has_bars = {item.name for item in holdings(connection) if item.items_with_data}
    failed = [job for job in JOBS.values() if not _run_dag(env, job, {"full_refresh": _is_first(job, has_bars)})]
    with connect(url) as connection:
        runs = runs_since(connection, before)
    _show(runs)
    for job in failed:
        console.print(f"{job.dag_id} failed; its log: {shown(_log(job))}", style="red")
    if failed:
        return 1
    _where_next()
    return 0


def _is_first(job: Job, has_bars: set[str]) -> bool:
    """KRX's listing gives the market of one day; the first time, Naver gives the years before it."""
    return job.name == "kr-price" and job.iso_code not in has_bars


def _run_dag(env: dict[str, str], job: Job, conf: dict[str, Any]) -> bool:
    wanted = {name: value for name, value in conf.items() if value}
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    started = time.monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"airflow dags test {job.dag_id} {world.DEMO_DAY}", total=None)

        def tell(line: str) -> None:
            if found := _PROGRESS.search(line):
                bar.update(task, completed=int(found[1]), total=int(found[2]))

        code = run_dag.run(env, job.dag_id, world.DEMO_DAY, _log(job), conf=wanted, tell=tell)
        seconds = time.monotonic() - started
    mark = "[green]done[/green]  " if code == 0 else "[red]failed[/red]"
    given = f" --conf '{json.dumps(wanted)}'" if wanted else ""
    console.print(f"{mark}  airflow dags test {job.dag_id} {world.DEMO_DAY}{given}  ({seconds:.0f} s)")
    return code == 0


def _log(job: Job) -> Path:
    return LOGS / f"{job.dag_id}.log"


def _show(runs: list[LedgerRow]) -> None:
    console.print()
    console.print(runs_table(runs, "What the ledger (tb_job_run) says"))
    touched = sum(run.rows_new + run.rows_changed for run in runs)
    if runs and not touched:
        console.print("0 rows changed: everything was already stored, and a run that finds nothing new writes nothing.")


def _where_next() -> None:
    console.print(
        "\nWhere to look next:\n"
        "  make up                                    Airflow's UI with these Dags and this data\n"
        "  make dags-test DAG=kr_price_updater        one Dag, with all that Airflow logs\n"
        "  make down                                  stop everything\n"
        f"  {shown(LOGS) + '/':<43}the logs of the runs above"
    )


@contextmanager
def _step(title: str) -> Iterator[None]:
    with console.status(title):
        yield
    console.print(f"[green]done[/green]    {title}")


if __name__ == "__main__":
    sys.exit(main())
