"""``airflow dags test`` with the right environment: ``python -m local.run_dag us_price_updater 2026-11-20``.

The database is the demonstration's, the sources are replayed as they were on that day.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from include.insight_invest.jobs import DAG_IDS
from local import LOCAL, world

HOME = LOCAL / "airflow"


def run(
    env: Mapping[str, str], dag_id: str, day: date, log: Path, *, conf: Mapping[str, Any], tell: Callable[[str], None]
) -> int:
    """Run one Dag in this process's world; each line goes to ``log`` and to ``tell``. Returns Airflow's exit code."""
    command = ["airflow", "dags", "test", dag_id, day.isoformat()]
    if conf:
        command += ["--conf", json.dumps(conf)]
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(
            command, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as airflow,
    ):
        assert airflow.stdout is not None
        for line in airflow.stdout:
            out.write(line)
            tell(line.rstrip())
    return airflow.returncode


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-11-20") from None


def main() -> int:
    """Show Airflow's own output, and end with its exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.run_dag", description=__doc__)
    parser.add_argument("dag_id", choices=DAG_IDS)
    parser.add_argument("day", type=_day, nargs="?", default=world.DEMO_DAY, help="such as 2026-11-20")
    parser.add_argument("--conf", type=json.loads, default={}, help='JSON, such as {"dry_run": true}')
    options = parser.parse_args()
    with world.replayed(world.instant_of(options.day)) as replay:
        env = world.environment(HOME, world.prepare_database(), replay.env)
        world.migrate_airflow(env, HOME / "migrate.log")
        return run(env, options.dag_id, options.day, HOME / "dags-test.log", conf=options.conf, tell=print)


if __name__ == "__main__":
    sys.exit(main())
