"""What every Dag folder must satisfy, each violation as a sentence that says what to do.

The tests run this on ``dags/``, where it must find nothing, and on copies with one planted fault each, where it must
find that fault.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from include.insight_invest.jobs import JOBS, Job
from tests.fixtures.airflow import ROOT

EXPECTED = {
    "us_price.py": ["us_price_updater"],
    "kr_price.py": ["kr_price_updater"],
    "macro.py": ["macro_updater"],
    "universe_sync.py": ["universe_sync"],
    "data_integrity.py": ["data_integrity"],
    "backfill.py": ["backfill"],
    "lake_export.py": ["lake_export"],
    "canary.py": ["canary"],
}
SECTIONS = ("Purpose", "Schedule", "Writes", "Triage", "Backfill")
PARAMS = {"dry_run", "tickers", "start", "end", "full_refresh"}
FLOW = {"prepare": {"update", "audit"}, "update": {"audit"}, "audit": set[str]()}
HEAVY = ("pandas", "numpy", "yfinance", "FinanceDataReader", "fredapi", "exchange_calendars", "psycopg", "alembic")


def violations(folder: Path) -> list[str]:
    """Everything wrong with the Dags of ``folder``; empty when all is well."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(folder)
    found = [
        f"{Path(file).name} cannot be imported: {error.strip().splitlines()[-1]}"
        for file, error in bag.import_errors.items()
    ]
    if found:
        return found
    per_file: dict[str, list[str]] = {file.name: [] for file in folder.glob("*.py")}
    for dag in bag.dags.values():
        per_file[Path(dag.fileloc).name].append(dag.dag_id)
    found += list(_of_files(per_file))
    by_id = {job.dag_id: job for job in JOBS.values()}
    for dag in bag.dags.values():
        if dag.dag_id in by_id:
            found += [f"{dag.dag_id}: {problem}" for problem in _of_dag(dag, by_id[dag.dag_id])]
    return found + list(_of_imports(sorted(folder.glob("*.py"))))


def _of_files(per_file: dict[str, list[str]]) -> Iterator[str]:
    for name, ids in per_file.items():
        if name not in EXPECTED:
            yield f"{name} is not accounted for: add it, with its Dag ids, to EXPECTED in {__name__}"
        elif ids != EXPECTED[name]:
            yield f"{name} defines {ids}, expected {EXPECTED[name]}: mend the file, or EXPECTED in {__name__}"
    for name in EXPECTED.keys() - per_file.keys():
        yield f"{name} is gone: restore it, or take it out of EXPECTED in {__name__}"


def _of_dag(dag: Any, job: Job) -> Iterator[str]:
    wanted: dict[str, tuple[object, object]] = {
        "schedule": (getattr(dag.timetable, "expression", None), job.schedule),
        "timezone": (str(dag.timezone.name), job.timezone),
        "catchup": (dag.catchup, False),
        "max_active_runs": (dag.max_active_runs, 1),
        "tags": (set(dag.tags), {str(tag) for tag in job.tags}),
        "owner": (dag.owner, job.owner),
        "params": (set(dag.params), PARAMS),
        "flow": ({task.task_id: set(task.downstream_task_ids) for task in dag.tasks}, FLOW),
    }
    for task in dag.tasks:
        wanted[f"retries of {task.task_id}"] = (task.retries, 2)
        wanted[f"execution_timeout of {task.task_id}"] = (task.execution_timeout, job.execution_timeout)
    for name, (is_, expected) in wanted.items():
        if is_ != expected:
            yield f"{name} is {is_!r}, jobs.py and the contract say {expected!r}"
    for section in SECTIONS:
        if f"**{section}.**" not in (dag.doc_md or ""):
            yield f"its page lacks the section {section}: write it in the file's docstring"


def _of_imports(files: list[Path]) -> Iterator[str]:
    """What reading each file loads or asks for, seen from one fresh process."""
    result = subprocess.run(
        [sys.executable, "-c", _READ, *map(str, files)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if result.returncode:
        yield f"reading the files fails: {result.stderr.strip().splitlines()[-1]}"
        return
    for file, effects in zip(files, json.loads(result.stdout.splitlines()[-1]), strict=True):
        yield from (f"{file.name}: {effect}" for effect in effects)
        if any(not isinstance(node, _ALLOWED) for node in _statements(file)):
            yield f"{file.name}: it holds more than imports and one `dag = …`: move the rest to orchestration"


_ALLOWED = (ast.Import, ast.ImportFrom, ast.Assign)
_READ = f"""
import json, runpy, sys
import airflow.sdk

asked = []
airflow.sdk.Variable.get = airflow.sdk.Connection.get = lambda name, *a, **k: asked.append(name)
effects = []
for file in sys.argv[1:]:
    asked.clear()
    before = set(sys.modules)
    runpy.run_path(file)
    heavy = [name for name in {HEAVY!r} if name in sys.modules and name not in before]
    effects.append([f"reading it loads {{name}}: import it inside the task" for name in heavy]
                   + [f"reading it asks Airflow for {{name}}: ask inside the task" for name in asked])
print()
print(json.dumps(effects))
"""


def _statements(file: Path) -> list[ast.stmt]:
    """The file's top-level statements, less its docstring."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return [node for node in body if not isinstance(node, ast.Expr)]
