"""What Astro's example test asks of every Dag: no import error, tags, two retries. `astro dev pytest` runs it.

Airflow and pytest are all it needs; what is beyond that (schedules, deadlines, pools) is in test_integrity.py.
"""

import os
from functools import cache
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

# in Astro's image AIRFLOW_HOME, which has the Dags beside the tests as the checkout does
DAGS = Path(__file__).resolve().parents[2] / "dags"
FILES = sorted(path.name for path in DAGS.glob("*.py"))


@cache
def bag() -> DagBag:
    """All Dags of the project."""
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"  # as an argument only Airflow 3.2 takes it
    return DagBag(DAGS)


@pytest.mark.parametrize("file", FILES)
def test_a_file_imports_and_has_a_dag(file: str) -> None:
    assert {Path(path).name: error for path, error in bag().import_errors.items()}.get(file) is None
    assert file in {Path(dag.fileloc).name for dag in bag().dags.values()}


def test_every_dag_has_tags() -> None:
    assert [dag.dag_id for dag in bag().dags.values() if not dag.tags] == []


def test_every_dag_tries_again_at_least_twice() -> None:
    assert [dag.dag_id for dag in bag().dags.values() if dag.default_args.get("retries", 0) < 2] == []
