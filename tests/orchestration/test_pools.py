"""The pools: one a source, made wherever Airflow is set up, because a task whose pool is missing never starts."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from include.insight_invest.jobs import JOBS
from include.insight_invest.orchestration.pools import POOLS
from tests.fixtures.airflow import ROOT

MODULE = [sys.executable, "-m", "include.insight_invest.orchestration.pools"]


def run(*command: str, home: Path | None = None) -> str:
    env = os.environ | {"PYTHONPATH": str(ROOT)} | ({"AIRFLOW_HOME": str(home)} if home else {})
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_source_that_a_job_asks_first_has_a_pool_of_one_slot_and_backfills_have_one() -> None:
    assert {job.sources[0] for job in JOBS.values()} == {"yahoo", "krx", "fred"}
    assert set(POOLS) == {"yahoo", "krx", "fred", "backfill"}
    assert {(pool["slots"], pool["include_deferred"]) for pool in POOLS.values()} == {(1, True)}


@pytest.mark.timeout(240)
def test_airflow_takes_the_file_and_the_commands(tmp_path: Path) -> None:
    file = tmp_path / "pools.json"
    file.write_text(run(*MODULE))
    airflow = [sys.executable, "-m", "airflow"]
    run(*airflow, "db", "migrate", home=tmp_path)
    *commands, last = run(*MODULE, "set").splitlines()
    run(*airflow, "pools", "import", str(file), home=tmp_path)
    run(*airflow, "pools", "delete", shlex.split(last)[4], home=tmp_path)
    run(*airflow, *shlex.split(last)[1:], home=tmp_path)
    listed = run(*airflow, "pools", "list", "-o", "json", home=tmp_path).splitlines()[-1]
    made = {pool["pool"]: (pool["slots"], pool["include_deferred"]) for pool in json.loads(listed)}
    assert made == dict.fromkeys(POOLS, ("1", "True")) | {"default_pool": ("128", "False")}
    assert len(commands) + 1 == len(POOLS)


def test_astro_makes_the_same_pools() -> None:
    settings = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text())["airflow"]
    assert settings["pools"] == [
        {"pool_name": name, "pool_slot": pool["slots"], "pool_description": pool["description"]}
        for name, pool in POOLS.items()
    ]


def test_compose_imports_the_pools_before_anything_else_starts() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    assert services["airflow-init"]["command"][-1].split() == [
        *("python", "-m", "include.insight_invest.orchestration.pools", ">", "/tmp/pools.json"),
        *("exec", "airflow", "pools", "import", "/tmp/pools.json"),
    ]
    components = ("api-server", "scheduler", "dag-processor", "triggerer", "worker")
    waits = {services[name]["depends_on"]["airflow-init"]["condition"] for name in components}
    assert waits == {"service_completed_successfully"}
