"""The demonstration's world: a database of its own on the server in use, and Airflow's environment in it."""

from pathlib import Path

import psycopg
import pytest

from local import ROOT, world
from tests.fixtures.database import Server


@pytest.fixture
def server(postgres_server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    url = postgres_server.url("postgres")
    monkeypatch.setenv("DATABASE_URL", url)
    return url


def test_the_demonstration_keeps_apart_from_the_operators_database(server: str) -> None:
    url = world.database("insight_world_test")
    assert url == server.replace("/postgres", "/insight_world_test")
    assert world.database("insight_world_test") == url  # the second time it is there
    with psycopg.connect(url) as connection:
        assert connection.info.dbname == "insight_world_test"


def test_airflow_sees_this_checkout_the_database_and_the_replayed_sources_and_no_setting_of_the_caller(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("DATABASE_URL", "postgresql://operator@elsewhere/production")
    env = world.environment(tmp_path, "postgresql://demo@127.0.0.1/insight_demo", {"HTTPS_PROXY": "http://127.0.0.1:1"})
    assert env["AIRFLOW__CORE__DAGS_FOLDER"] == str(ROOT / "dags")
    assert env["AIRFLOW_CONN_INSIGHT_INVEST"] == "postgresql://demo@127.0.0.1/insight_demo"
    assert env["HTTPS_PROXY"] == "http://127.0.0.1:1"
    assert "AIRFLOW__CORE__EXECUTOR" not in env
    assert "production" not in " ".join(env.values())
