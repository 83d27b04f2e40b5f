"""What reading the Dags costs and needs in each way to run."""

import subprocess
import sys

import pytest

from tests.fixtures.airflow import ROOT

READ = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag("dags")
update = bag.dags["us_price_updater"].get_task("update")
known = sorted(name for name in sys.modules if name.startswith(("airflow.providers.amazon.aws.operators", "boto3")))
print()
print(json.dumps([bag.import_errors, type(update).__name__, update.operator_class.__name__, bool(known)]))
"""


@pytest.mark.parametrize(
    ("execution", "expected"), [("local", '"_PythonDecoratedOperator", false]'), ("ecs", '"UpdateOnEcs", true]')]
)
def test_the_provider_is_loaded_on_ecs_only_and_a_missing_cluster_is_no_import_error(
    monkeypatch: pytest.MonkeyPatch, execution: str, expected: str
) -> None:
    monkeypatch.setenv("INSIGHT_EXECUTION", execution)
    read = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    last = read.splitlines()[-1]
    assert last.startswith("[{}, ")
    assert last.endswith(expected)
