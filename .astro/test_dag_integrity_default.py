"""Every Dag file imports: what `astro dev parse` and `astro deploy` run inside the image before anything starts."""

import os
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

HOME = Path(os.environ.get("AIRFLOW_HOME", "/usr/local/airflow"))
DAGS = Path(os.environ.get("AIRFLOW__CORE__DAGS_FOLDER", HOME / "dags"))
EXCEPTIONS = Path(__file__).with_name("dag_integrity_exceptions.txt")


def files() -> list[str]:
    """The Dag files to test, as paths below the Dags folder's parent."""
    exempt = set(EXCEPTIONS.read_text().split()) if EXCEPTIONS.exists() else set()
    return sorted({str(path.relative_to(DAGS.parent)) for path in DAGS.rglob("*.py")} - exempt)


@pytest.mark.parametrize("file", files())
def test_file_imports(file: str) -> None:
    """A Dag file with an error fails with Airflow's own traceback."""
    errors = DagBag(dag_folder=DAGS.parent / file, include_examples=False).import_errors
    if errors:
        pytest.fail("\n".join(errors.values()), pytrace=False)
