"""The demonstration's world: a server and a database of its own, and Airflow's environment in it."""

from pathlib import Path

import psycopg
import pytest

from local import ROOT, postgres, world


def test_the_demonstration_has_a_server_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://operator@elsewhere/production")
    root = tmp_path / "postgres"
    try:
        url = world.database("insight_world_test", root)
        assert world.database("insight_world_test", root) == url  # the second time it is there
        with psycopg.connect(url) as connection:
            assert connection.info.dbname == "insight_world_test"
            assert connection.execute("show data_directory").fetchone() == (str(root / "data"),)
    finally:
        postgres.stop(root)


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
