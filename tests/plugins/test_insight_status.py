"""The page in Airflow's UI: who may see it, and what it says on a good and on a bad day."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from starlette.testclient import TestClient

from plugins import insight_status

REPOSITORY = Path(__file__).resolve().parents[2]
RUN = """
insert into tb_meta (meta_id, ticker, security_type, iso_code) values (1, '005930', 'stock', 'KR');
insert into tb_bar (meta_id, trade_date, close, basis_date, source, currency, observed_at, final, run_id)
values (1, '2026-03-19', 200000, '2026-03-19', 'krx', 'KRW', '2026-03-19T21:00Z', true, 1);
insert into tb_job_run (run_id, job, status, trigger, version, as_of, session_date, started_at, finished_at,
                        rows_new, requests, tickers, error)
values (1, 'kr-price', 'over_budget', 'cli', '3.0.0', '2026-03-19T21:00Z', '2026-03-19', '2026-03-19T21:00Z',
        '2026-03-19T21:00:02Z', 2879, 3, '{"updated": {"005930": null}}', '<script>alert("1 & 2")</script>');
"""
AWAY = "postgres://insight:hush@127.0.0.1:1/insight"  # nothing listens on port 1


@pytest.fixture
def visitor() -> TestClient:
    """Somebody without a login."""
    return TestClient(insight_status.application())


@pytest.fixture
def operator(visitor: TestClient) -> Iterator[TestClient]:
    """Somebody who is logged in to Airflow."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.security import get_user

    overrides = insight_status.application().dependency_overrides
    overrides[get_user] = lambda: SimpleAuthManagerUser(username="operator", role="VIEWER")
    yield visitor
    overrides.clear()


def test_a_visitor_without_a_login_gets_401(visitor: TestClient) -> None:
    answer = visitor.get("/")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})


def test_the_page_shows_the_last_runs_and_the_holdings(
    operator: TestClient, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_INSIGHT_INVEST", database)
    with psycopg.connect(database) as connection:
        connection.execute(RUN)
    answer = operator.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for text in (
        '<th scope="row">kr-price</th>',
        '<td class="bad">over_budget</td>',
        "<td>2026-03-19 21:00</td>",
        '<td class="number">2.0</td>',
        '<td class="number">2,879</td>',
        '<th scope="row">KR</th><td class="number">1</td>',
        "<td>2026-03-19</td>",
    ):
        assert text in answer.text


def test_what_the_database_says_is_escaped(
    operator: TestClient, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_INSIGHT_INVEST", database)
    with psycopg.connect(database) as connection:
        connection.execute(RUN)
    page = operator.get("/").text
    assert "kr-price: &lt;script&gt;alert(&#34;1 &amp; 2&#34;)&lt;/script&gt;" in page
    assert "<script" not in page


def test_both_themes_are_in_the_page_and_nothing_comes_from_elsewhere(operator: TestClient) -> None:
    answer = operator.get("/")
    assert "@media (prefers-color-scheme: dark)" in answer.text
    assert not [word for word in ("src=", "href=", "url(", "@import", "http") if word in answer.text]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")


def test_no_run_yet(operator: TestClient, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_INSIGHT_INVEST", database)
    answer = operator.get("/")
    assert answer.status_code == 200
    assert "<p>No job has run yet.</p>" in answer.text
    assert '<th scope="row">macro</th><td class="number">0</td>' in answer.text
    assert "no data" in answer.text


def test_the_database_is_away(
    operator: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_INSIGHT_INVEST", AWAY)
    answer = operator.get("/")
    assert answer.status_code == 503
    assert "The database of the connection insight_invest does not answer" in answer.text
    assert "cannot connect to the database at 127.0.0.1:1/insight" in caplog.text
    for secret in ("hush", "127.0.0.1"):
        assert secret not in answer.text
    assert "hush" not in caplog.text


def test_the_connection_is_not_defined(operator: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_INSIGHT_INVEST", raising=False)
    answer = operator.get("/")
    assert answer.status_code == 503
    assert "The Airflow connection insight_invest is not defined." in answer.text


def test_a_database_without_the_schema(operator: TestClient, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_INSIGHT_INVEST", database)
    with psycopg.connect(database) as connection:
        connection.execute("drop table insight_schema_version")
    assert "run `run_scheduled_job.py db upgrade`" in operator.get("/").text


def test_airflow_loads_the_plugin(tmp_path: Path) -> None:
    plugins = json.loads(_airflow(tmp_path, "-m", "airflow", "plugins", "--output", "json"))
    (plugin,) = [plugin for plugin in plugins if plugin["name"] == "insight_status"]
    assert plugin["source"] == "$PLUGINS_FOLDER/insight_status.py"
    assert "/insight-invest" in str(plugin["fastapi_apps"])
    assert "insight-invest/" in str(plugin["external_views"])


def test_importing_the_plugin_loads_nothing_heavy(tmp_path: Path) -> None:
    program = """
import sys
import airflow.plugins_manager
before = set(sys.modules)
import plugins.insight_status
print(sorted(set(sys.modules) - before))
"""
    assert _airflow(tmp_path, "-c", program) == "['plugins', 'plugins.insight_status']\n"


def _airflow(home: Path, *arguments: str) -> str:
    """Standard output of a Python process with an Airflow home of its own."""
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(REPOSITORY),
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    ).stdout
