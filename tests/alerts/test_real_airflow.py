"""Real scheduler, dag-processor, triggerer, api-server and PostgreSQL: who is told what, and how often."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit

import psycopg
import pytest

from include.insight_invest.store.migrate import upgrade
from tests.alerts.receivers import Webhook, webhook
from tests.alerts.stack import Stack, airflow_stack, until
from tests.fixtures.airflow import ROOT
from tests.fixtures.database import Server
from tests.fixtures.outside import ENVIRONMENT

pytestmark = pytest.mark.timeout(600)
NOBODY_LISTENS = 9  # the port "discard"


@dataclass
class World:
    """A running Airflow, its databases, and who is told."""

    stack: Stack
    metadata: str
    database: str
    slack: Webhook
    dags: Path

    def rows(self, url: str, query: LiteralString) -> list[tuple[Any, ...]]:
        with psycopg.connect(url) as connection:
            return connection.execute(query).fetchall()

    def callbacks(self) -> list[tuple[Any, ...]]:
        """(dag_id, state) of the callbacks of all deadlines that have passed."""
        return self.rows(
            self.metadata,
            "select r.dag_id, c.state from deadline d join callback c on c.id = d.callback_id "
            "join dag_run r on r.id = d.dagrun_id where d.missed order by 1, 2",
        )

    def told(self, dag_id: str) -> list[str]:
        """The subjects of the messages about a Dag, without its runs."""
        return [subject.split("] ")[1].split(":")[0] for subject in self.slack.subjects if f" {dag_id} " in subject]

    def body(self, words: str) -> str:
        return next(text for text in self.slack.texts if words in text)


@pytest.fixture(scope="module")
def world(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Email goes nowhere, Slack answers; the connections are in Airflow's database, as on MWAA."""
    folder = tmp_path_factory.mktemp("alerts")
    dags = folder / "dags"
    dags.mkdir()
    shutil.copy(ROOT / "tests" / "alerts" / "tiny_dags.py", dags)
    database = postgres_server.create("alerts")
    upgrade(database)
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into tb_job_run (job, shard, status, trigger, version, as_of, session_date, options, started_at,"
            " finished_at, rows_new) values ('us-price', '1/1', 'succeeded', 'cli', '3', '2026-11-20 09:00+00',"
            " '2026-11-19', '{}', '2026-11-20 09:00+00', '2026-11-20 09:01+00', 1234)"
        )
    metadata = postgres_server.create("airflow_alerts")
    environment = {
        name: value for name, value in ENVIRONMENT.items() if not name.startswith(("AIRFLOW", "INSIGHT", "DATABASE"))
    }
    environment |= {"INSIGHT_ALERT_EMAIL": "operator@example.com", "ENVIRONMENT": "test"}
    with webhook() as slack:
        connections = {
            "insight_invest": _parts(database),
            "insight_slack": {"conn_type": "http", "password": slack.url},
            "smtp_default": {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": NOBODY_LISTENS,
                "extra": '{"disable_ssl": true, "disable_tls": true, "from_email": "airflow@example.com"}',
            },
        }
        with airflow_stack(folder, metadata, dags, environment, connections) as stack:
            yield World(stack, metadata, database, slack, dags)


def _parts(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    login = {"login": parts.username, "password": parts.password}
    return {"conn_type": "postgres", "host": parts.hostname, "port": parts.port, "schema": parts.path[1:], **login}


def test_late_failed_on_time_and_back_to_normal(world: World) -> None:
    on_time, failed = world.stack.trigger("on_time"), world.stack.trigger("failed_early")
    killed = world.stack.trigger("killed_run")
    until(lambda: world.stack.has_succeeded("on_time", on_time))
    until(lambda: len(world.callbacks()) == 3 and {state for _, state in world.callbacks()} == {"success"})
    until(lambda: world.told("us_price_updater") == ["us_price_updater is late", "us_price_updater is back to normal"])
    until(lambda: world.told("killed_run"))

    # Two parts have failed, and the time-out passed after that.
    assert world.callbacks() == [
        ("failed_early", "success"),
        ("us_price_updater", "success"),
        ("us_price_updater", "success"),
    ]
    assert world.told("failed_early") == ["failed_early failed"]
    assert world.stack.state("failed_early", failed) == "failed"
    assert world.told("killed_run") == ["killed_run failed"]
    assert world.stack.state("killed_run", killed) == "failed"
    assert world.told("on_time") == []


def test_a_message_says_what_is_late_since_when_and_where_to_look(world: World) -> None:
    late = world.body("us_price_updater is late")
    assert "Its data must be there by" in late or "It was queued at" in late
    assert "the run is running" in late or "the run is still running" in late
    assert "Rows of the last run (ledger 1, 2026-11-20 09:00 UTC, succeeded, session 2026-11-19): 1,234 new" in late
    assert "/dags/us_price_updater/runs/scheduled__" in late
    assert late.endswith("Runbook: docs/runbooks/late.md")


def test_a_failure_names_its_error_and_no_secret_and_one_that_was_killed_says_so(world: World) -> None:
    failed = world.body("failed_early failed")
    assert "failed, try 1: RuntimeError: part" in failed
    assert "postgresql://me:***@db/name is broken" in failed
    assert "/tasks/part/mapped/" in failed
    assert "killed, which may have been killed (out of memory?)" in world.body("killed_run failed")


def test_a_channel_that_is_down_is_tried_again_and_logged(world: World) -> None:
    log = world.stack.log("triggerer")
    # Tried again at each later occasion, by this channel only.
    assert log.count("alert by email, try 1 of 3: ConnectionRefusedError") >= 1
    assert log.count("alert by email: given up after 3 tries") >= 1
    assert log.count("alert by Slack: taken") == 1
    assert "Trigger runner failed" not in log
    assert "/services/T000" not in log


def test_the_run_after_a_failed_one_is_back_to_normal_once(world: World) -> None:
    (world.dags / "mended").touch()
    for run_id in (world.stack.trigger("failed_early"), world.stack.trigger("failed_early")):
        until(partial(world.stack.has_succeeded, "failed_early", run_id))
    until(lambda: world.told("failed_early") == ["failed_early failed", "failed_early is back to normal"])
    assert "Over: failed since" in world.body("failed_early is back to normal")
    open_ones = world.rows(world.database, "select dag_id from tb_incident where closed_at is null")
    assert open_ones == [("killed_run",)]
