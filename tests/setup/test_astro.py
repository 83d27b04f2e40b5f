"""`astro dev parse` and `astro dev pytest`, as their users run them: in the image's folder, with what is in there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.airflow import ROOT

PARSE = ".astro/test_dag_integrity_default.py"  # what `astro dev parse` runs
MOCKED = '''
"""An airflow dag that reads while it is parsed what only the deployment has."""
import os
from airflow.sdk import BaseHook, Variable, dag
folder = os.getenv("NOT_SET_ANYWHERE") + Variable.get("no_such") + Variable.get("neither", deserialize_json=True)["key"]
assert (os.getenv("NOT_SET_ANYWHERE", "kept"), Variable.get("no_such", default=None)) == ("kept", None)
assert BaseHook.get_connection("no_such").conn_id == "no_such"
'''
BROKEN = '"""An airflow dag."""\nimport nothing_of_that_name\n'
CARELESS = '"""An airflow dag."""\nfrom airflow.sdk import dag\n@dag(schedule=None)\ndef careless(): ...\ncareless()\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """/usr/local/airflow of the image: the project less what .dockerignore names, and the tests, which Astro adds."""
    for name in ("dags", "plugins", "include", "tests", ".astro"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    copied = re.findall(r"^COPY (\S+) /usr/local/airflow/(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert copied == [(".astro/pytest_in_image.ini", "pytest.ini")]
    for source, target in copied:
        shutil.copy(ROOT / source, tmp_path / target)
    return tmp_path


def run(home: Path, tests: str) -> str:
    """What `pytest TESTS` says there. Of the plugins of this environment the image has anyio's."""
    unset = ("AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__CORE__PLUGINS_FOLDER", "DATABASE_URL", "FRED_API_KEY")
    env = {name: value for name, value in os.environ.items() if name not in unset}
    env |= {"AIRFLOW_HOME": str(home), "PYTHONPATH": str(home), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", tests]
    done = subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_parse_passes_our_dags_and_fails_a_broken_one(home: Path) -> None:
    ours = len(list((home / "dags").rglob("*.py")))
    (home / "dags" / "mocked.py").write_text(MOCKED)
    (home / "dags" / "broken.py").write_text(BROKEN)
    said = run(home, PARSE)
    assert re.search(rf"\n1 failed, {ours + 1} passed", said), said
    assert "No module named 'nothing_of_that_name'" in said


def test_a_file_that_is_exempt_is_not_parsed(home: Path) -> None:
    (home / "dags" / "broken.py").write_text(BROKEN)
    with (home / ".astro" / "dag_integrity_exceptions.txt").open("a") as file:
        file.write("dags/broken.py\n")
    assert re.search(r"\n\d+ passed", run(home, PARSE))


def test_pytest_runs_what_the_image_can_run(home: Path) -> None:
    ours = len(list((home / "dags").glob("*.py")))
    said = run(home, "tests")
    assert re.search(rf"\n{ours + 2} passed", said), said
    (home / "dags" / "careless.py").write_text(CARELESS)
    said = run(home, "tests")
    assert re.search(rf"\n2 failed, {ours + 1} passed", said), said
    assert "assert ['careless'] == []" in said
