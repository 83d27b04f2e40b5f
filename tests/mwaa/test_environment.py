"""The bundle in an environment laid out, installed and configured as MWAA does it, with nothing of this checkout."""

import json
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import psycopg
import pytest
from moto.server import ThreadedMotoServer

from include.insight_invest.jobs import JOBS
from include.insight_invest.store.migrate import upgrade
from local import ROOT
from local.bundle.build import build
from tests.fixtures.database import Server
from tests.fixtures.market import KEY, THURSDAY, world
from tests.mwaa.environment import Environment, install, lay_out
from tests.mwaa.stack import Stack
from tests.replay import Replay

SETTINGS = """
ENVIRONMENT=mwaa-test
INSIGHT_EXECUTION=local
INSIGHT_FRED_RATE=1000
INSIGHT_NAVER_RATE=1000
INSIGHT_SAMPLE_TICKERS=0
INSIGHT_YAHOO_RATE=1000
"""
SECRETS_BACKEND = {
    "AIRFLOW__SECRETS__BACKEND": "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
    "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(
        {
            "connections_prefix": "airflow/connections",
            "connections_lookup_pattern": "^insight_",
            "variables_lookup_pattern": "^insight_",
        }
    ),
}
# What a Dag is asked for, where a run without a word would not do. The updaters run first: the others read their data.
CONF: dict[str, dict[str, Any]] = {}
UPDATERS = [job.dag_id for job in JOBS.values()]
RUN_SECONDS = 240

# The callback of a deadline, which a triggerer imports; the file it writes to is its only argument.
CALLBACK = "include.insight_invest.stand_in.tell"
STAND_IN = '''
"""Planted by the test: what a deadline calls."""
import json
from pathlib import Path

async def tell(file, context=None):
    Path(file).write_text(json.dumps({"module": __file__, "dag_id": context["dag_run"]["dag_id"]}))
'''
LATE = '''
"""Planted by the test: an Airflow Dag that takes longer than it may."""
from datetime import timedelta
import time
from airflow.sdk import DAG, AsyncCallback, DeadlineAlert, DeadlineReference, task

alert = DeadlineAlert(reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=timedelta(seconds=1),
                      callback=AsyncCallback({callback!r}, kwargs={{"file": {file!r}}}))
with DAG("late", schedule=None, deadline=alert):
    @task
    def slow():
        time.sleep(5)
    slow()
'''


@pytest.fixture(scope="module")
def mwaa(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The bundle of this lane, laid out and installed."""
    root = tmp_path_factory.mktemp("mwaa")
    lane = version("apache-airflow")
    build(ROOT, root / "bundle", lane, SETTINGS)
    made = Environment(root / "airflow", lane)
    lay_out(root / "bundle", made.home)
    install(made)
    return made


@pytest.fixture(scope="module")
def data(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """(the URL of the product's database, what makes processes see the replayed sources)."""
    url = postgres_server.create("mwaa_data")
    upgrade(url)
    with Replay([], datetime.fromisoformat(THURSDAY)) as replay:
        world(url, tmp_path_factory.mktemp("mwaa-world"), replay)
        yield url, replay.env


@pytest.fixture(scope="module")
def secrets_manager(data: tuple[str, dict[str, str]]) -> Iterator[dict[str, str]]:
    """Secrets Manager with the two connections, and what makes processes use it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    access = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "secretsmanager", endpoint_url=endpoint, region_name="ap-northeast-2",
        aws_access_key_id="testing", aws_secret_access_key="testing",
    )  # fmt: skip
    client.create_secret(Name="airflow/connections/insight_invest", SecretString=data[0])
    client.create_secret(
        Name="airflow/connections/insight_fred", SecretString=json.dumps({"conn_type": "http", "password": KEY})
    )
    yield {**access, "AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint}
    server.stop()


@pytest.fixture(scope="module")
def stack(
    mwaa: Environment,
    data: tuple[str, dict[str, str]],
    secrets_manager: dict[str, str],
    postgres_server: Server,
) -> Iterator[Stack]:
    """The environment's components, with the pools, and with a Dag that is late."""
    (mwaa.home / "plugins/include/insight_invest/stand_in.py").write_text(STAND_IN)
    (mwaa.home / "dags/late.py").write_text(LATE.format(callback=CALLBACK, file=str(mwaa.home / "told.json")))
    options = {
        **SECRETS_BACKEND,
        **secrets_manager,
        **data[1],
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # the test alone says what runs
        "AIRFLOW__CORE__PARALLELISM": "4",
    }
    made = Stack(mwaa, postgres_server.create("mwaa_metadata"), options)
    try:
        made.start()
        for pool in sorted({job.pool for job in JOBS.values()}):
            made.api("POST", "/pools", {"name": pool, "slots": 1})
        yield made
    finally:
        made.stop()


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
    assert seen["settings"] == dict(line.split("=") for line in SETTINGS.split())


def test_every_dag_of_the_bundle_runs_to_success(stack: Stack, mwaa: Environment, data: tuple[str, Any]) -> None:
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
    assert run(stack, UPDATERS) == dict.fromkeys(UPDATERS, "success")
    with psycopg.connect(data[0]) as connection:
        rows = connection.execute("select job, status, rows_new from tb_job_run order by job").fetchall()
    assert rows == [("kr-price", "succeeded", 3), ("macro", "succeeded", 4), ("us-price", "succeeded", 6)]
    assert run(stack, others) == dict.fromkeys(others, "success")


def test_a_late_dag_calls_back_code_that_the_triggerer_finds_in_plugins(stack: Stack, mwaa: Environment) -> None:
    assert run(stack, ["late"]) == {"late": "success"}
    stack.wait((mwaa.home / "told.json").exists, RUN_SECONDS, "the deadline's callback has run")
    assert json.loads((mwaa.home / "told.json").read_text()) == {
        "module": str(mwaa.home / "plugins/include/insight_invest/stand_in.py"),
        "dag_id": "late",
    }


def test_the_page_shows_the_database_to_who_is_logged_in(stack: Stack) -> None:
    assert stack.get("/insight-invest/", login=False)[0] == 401
    status, page = stack.get("/insight-invest/")
    assert status == 200
    assert "us-price" in page


def run(stack: Stack, dags: list[str]) -> dict[str, str]:
    """Run ``dags`` as of Thursday; how each ended."""
    path = "/dags/{}/dagRuns".format
    body = {"dag_run_id": "test", "logical_date": THURSDAY, "run_after": THURSDAY}
    for dag_id in dags:
        stack.api("POST", path(dag_id), {**body, "conf": CONF.get(dag_id, {})})
    states: dict[str, str] = {}

    def ended() -> bool:
        states.update({dag_id: stack.api("GET", f"{path(dag_id)}/test")["state"] for dag_id in dags})
        return all(state in ("success", "failed") for state in states.values())

    stack.wait(ended, RUN_SECONDS, f"every one of {dags} has ended, now {states}")
    return states
