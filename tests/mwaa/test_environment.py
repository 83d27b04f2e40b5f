"""The bundle in an environment laid out, installed and configured as MWAA does it, with nothing of this checkout."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include.insight_invest.jobs import JOBS
from local import ROOT
from tests.fixtures.market import THURSDAY
from tests.mwaa.conftest import SETTINGS, Aws
from tests.mwaa.environment import Environment
from tests.mwaa.stack import Stack

pytestmark = pytest.mark.timeout(1200)  # two package installations, and a whole Airflow on a machine that others use

# What a Dag is asked for, where a run without a word would not do. The updaters run first: the others read their data.
CONF: dict[str, dict[str, Any]] = {}
UPDATERS = [job.dag_id for job in JOBS.values()]
RUN_SECONDS = 240


def test_requirements_add_to_the_image_and_change_nothing_in_it(mwaa: Environment) -> None:
    pins = (mwaa.home / "requirements/requirements.txt").read_text().splitlines()
    required = dict(line.split("==") for line in pins if "==" in line)
    assert mwaa.image["apache-airflow"] == mwaa.lane
    assert {name: mwaa.installed.get(name) for name in mwaa.image} == mwaa.image
    assert {name: mwaa.installed[name] for name in mwaa.installed.keys() - mwaa.image.keys()} == required
    assert "Building wheel" not in mwaa.pip_output


def test_what_is_installed_fits_together(mwaa: Environment) -> None:
    assert mwaa.run(str(mwaa.python), "-m", "pip", "check") == "No broken requirements found.\n"


WHERE = """
import json, sys
import airflow.settings
airflow.settings.initialize()
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
import include.insight_invest.jobs
import os
print()
print(json.dumps({
    "path": sys.path,
    "include": include.__file__,
    "plugins": [plugin.name for plugin in plugins if "PLUGINS_FOLDER" in str(plugin.source)],
    "errors": errors,
    "from plugins": sorted({
        name for name, module in sys.modules.items()
        if (getattr(module, "__file__", None) or "").startswith(os.environ["AIRFLOW_HOME"] + "/plugins/")
        and not name.startswith("include")
    }),
    "settings": {name: value for name, value in os.environ.items() if name.startswith(("INSIGHT_", "ENVIRONMENT"))},
}))
"""


def test_a_process_finds_the_code_in_plugins_and_each_module_once(mwaa: Environment) -> None:
    seen = json.loads(mwaa.run(str(mwaa.python), "-c", WHERE).splitlines()[-1])
    assert [path for path in seen["path"] if Path(path).is_relative_to(ROOT)] == []
    assert seen["include"] == str(mwaa.home / "plugins/include/__init__.py")
    assert (seen["plugins"], seen["errors"]) == (["insight_status"], {})
    assert seen["from plugins"] == ["insight_status"]
    settings = dict(line.split("=") for line in SETTINGS.split())
    assert seen["settings"] == {**settings, "INSIGHT_LAKE_URL": str(mwaa.home.parent / "lake")}


def test_every_dag_of_the_bundle_runs_to_success(stack: Stack, mwaa: Environment, database_url: str, aws: Aws) -> None:
    files = {file.name for file in (mwaa.home / "dags").glob("*.py")}

    def processed() -> bool:
        parsed = {dag["relative_fileloc"] for dag in stack.api("GET", "/dags?limit=100")["dags"]}
        broken = {error["filename"] for error in stack.api("GET", "/importErrors")["import_errors"]}
        return files <= parsed | broken

    stack.wait(processed, RUN_SECONDS, "every Dag file is read")
    assert stack.api("GET", "/importErrors")["import_errors"] == []
    dags = [dag["dag_id"] for dag in stack.api("GET", "/dags?limit=100")["dags"]]
    others = [dag_id for dag_id in dags if dag_id not in {*UPDATERS, "late"}]
    assert set(UPDATERS) < set(dags)
    start(stack, UPDATERS)
    assert ends(stack, UPDATERS) == dict.fromkeys(UPDATERS, "success")
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select job, status, rows_new from tb_job_run order by job").fetchall()
    assert rows == [("kr-price", "succeeded", 3), ("macro", "succeeded", 4), ("us-price", "succeeded", 6)]
    assert aws.client("cloudwatch").list_metrics(Namespace="insight-invest")["Metrics"]
    start(stack, others)
    assert ends(stack, others) == dict.fromkeys(others, "success")
    assert sorted(path.name for path in (mwaa.home.parent / "lake").iterdir() if path.is_dir()) == [
        "actions", "adjustments", "definitions", "prices", "series", "vintages",
    ]  # fmt: skip


def test_a_late_dag_is_told_by_the_triggerer_and_its_recovery_by_the_dag_processor(
    stack: Stack, mwaa: Environment, aws: Aws
) -> None:
    """The code comes from plugins/, the database from Secrets Manager, the topic from startup.sh."""
    told: list[str] = []

    def heard(number: int) -> bool:
        told.extend(message["Subject"] for message in aws.told())
        return len(told) >= number

    start(stack, ["late"])
    stack.wait(lambda: heard(1), RUN_SECONDS, "its lateness is told")
    (mwaa.home / "seen").touch()
    assert ends(stack, ["late"]) == {"late": "success"}
    stack.wait(lambda: heard(2), RUN_SECONDS, "its recovery is told")
    assert told == [
        "[insight-invest mwaa-test] late is late: test",
        "[insight-invest mwaa-test] late is back to normal: test",
    ]


def test_the_page_shows_the_database_to_who_is_logged_in(stack: Stack) -> None:
    assert stack.get("/insight-invest/", login=False)[0] == 401
    status, page = stack.get("/insight-invest/")
    assert status == 200
    assert "us-price" in page


def start(stack: Stack, dags: list[str]) -> None:
    """Trigger ``dags`` as of Thursday."""
    body = {"dag_run_id": "test", "logical_date": THURSDAY, "run_after": THURSDAY}
    for dag_id in dags:
        stack.api("POST", f"/dags/{dag_id}/dagRuns", {**body, "conf": CONF.get(dag_id, {})})


def ends(stack: Stack, dags: list[str]) -> dict[str, str]:
    """How the run of each of ``dags`` ended."""
    states: dict[str, str] = {}

    def ended() -> bool:
        states.update({dag_id: stack.api("GET", f"/dags/{dag_id}/dagRuns/test")["state"] for dag_id in dags})
        return all(state in ("success", "failed") for state in states.values())

    stack.wait(ended, RUN_SECONDS, lambda: f"every Dag has ended: {states}")
    return states
