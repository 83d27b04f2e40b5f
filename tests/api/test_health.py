"""Up, ready, not ready; and how the service starts."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from starlette.testclient import TestClient

from include.insight_invest import __version__
from include.insight_invest.api.application import create_app
from include.insight_invest.errors import ConfigurationError
from include.insight_invest.store import migrate
from tests.api.conftest import served

REPOSITORY = Path(__file__).resolve().parents[2]
AWAY = "postgresql://insight:hush@127.0.0.1:1/insight"  # nothing listens on port 1


def test_the_service_says_who_it_is(client: TestClient) -> None:
    assert client.get("/").json() == {
        "status": "healthy",
        "service": "insight-invest-api",
        "version": __version__,
    }
    info = client.get("/openapi.json").json()["info"]
    assert info == {
        "title": "Insight-Invest API",
        "description": "Investment analysis and backtesting API",
        "version": __version__,
    }


def test_ready_names_the_newest_session_of_each_market(client: TestClient) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "schema_version": migrate.HEAD,
        "newest": {"KR": None, "US": "2020-08-31"},
    }


def test_without_a_database_the_service_lives_but_is_not_ready(caplog: pytest.LogCaptureFixture) -> None:
    with served(AWAY) as client:
        assert client.get("/health").status_code == 200
        answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "10"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "the database is away",
    }
    assert "cannot connect to the database" in caplog.text
    assert "hush" not in caplog.text


def test_a_database_without_the_schema_is_not_ready(database: str) -> None:
    migrate.downgrade(database, "base")
    with served(database) as client:
        answer = client.get("/health/ready")
        assert client.get("/api/status").status_code == 503
    assert answer.status_code == 503
    assert answer.json()["detail"] == (
        "the database has no Insight-Invest schema, this version needs 0004: run `run_scheduled_job.py db upgrade`"
    )


def test_ready_again_when_the_database_is_back(database: str) -> None:
    with served(database) as client:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("alter table insight_schema_version rename to gone")
            assert client.get("/health/ready").status_code == 503
            connection.execute("alter table gone rename to insight_schema_version")
        assert client.get("/health/ready").status_code == 200


def test_it_does_not_start_without_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(ConfigurationError, match="missing environment: DATABASE_URL"), TestClient(create_app()):
        pass


def test_uvicorn_finds_the_app_and_importing_the_package_is_light() -> None:
    program = """
import sys
from pathlib import Path
import include.insight_invest.api
assert not {"fastapi", "psycopg", "pydantic"} & set(sys.modules)
from uvicorn.importer import import_from_string
app = import_from_string("include.insight_invest.api:app")
assert app is include.insight_invest.api.app
print(app.title)
"""
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (result.stdout, result.stderr) == ("Insight-Invest API\n", "")
