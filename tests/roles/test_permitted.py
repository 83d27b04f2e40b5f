"""What each role may do: all jobs and commands as an updater, API and status as a reader."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from include.insight_invest.api.application import create_app
from include.insight_invest.settings import load_settings
from tests.cli.conftest import Command, cli  # noqa: F401 (a fixture)
from tests.fixtures.market import Market
from tests.folders import write_chart
from tests.roles.conftest import Logins

JOBS = ("us-price", "kr-price", "macro")


class TestUpdater:
    """A login in insight_updater."""

    @pytest.mark.parametrize("job", JOBS)
    def test_runs_every_job_as_the_owner_does(self, market: Market, as_updater: Market, job: str) -> None:
        expected = market.run(job, dry_run=True)
        report = as_updater.run(job)
        assert (report.exit_code, report.rows, report.actions_new) == (0, expected.rows, expected.actions_new)
        as_updater.audit(job)

    def test_corrects_what_it_stored(self, as_updater: Market) -> None:
        as_updater.run()
        corrected = {"2026-01-05": (50.0, 51.0, 49.0, 50.75, 100), "2026-01-06": (50.5, 52.0, 50.0, 51.5, 200)}
        write_chart(as_updater.folder, "BOLT", corrected | {"2026-01-07": (51.5, 53.0, 51.0, 52.5, 300)})
        as_updater.replay.load(as_updater.folder)
        assert as_updater.run(as_of="2026-01-09T01:00+00:00").rows.changed == 1
        as_updater.audit()

    def test_commands_of_an_operator(self, cli: Command, as_updater: Market, logins: Logins) -> None:  # noqa: F811
        held = (
            "insert into tb_quarantine (run_id, meta_id, ticker, trade_date, source, reason, payload, held_at) values "
            '(1, 2, \'BOLT\', %s, \'yahoo\', \'odd\', \'{"open": 5, "high": 5, "low": 5, "close": 5, '
            '"volume": 5, "currency": "USD", "basis_date": "2026-01-05"}\', now())'
        )
        as_updater.run()
        with psycopg.connect(logins.owner) as owner:
            owner.execute(held, ["2026-01-02"])
            owner.execute(held, ["2025-12-31"])
        commands: list[tuple[str, ...]] = [
            ("status",),
            ("doctor",),
            ("coverage",),
            ("disagreements",),
            ("quarantine", "list"),
            ("quarantine", "release", "1", "--note", "seen elsewhere"),
            ("quarantine", "reject", "2", "--note", "a typing error"),
            ("sessions", "list"),
            ("sessions", "close", "XNYS", "2026-01-08", "--note", "a storm"),
            ("sessions", "open", "XNYS", "2026-01-08", "--note", "no storm"),
            ("universe", "import"),
            ("universe", "rename", "ACME", "ACMX", "--market", "US", "--on", "2026-01-08", "--note", "renamed"),
            ("universe", "rename", "ACMX", "ACME", "--market", "US", "--on", "2026-01-08", "--note", "not renamed"),
            ("universe", "sync", "--market", "KR"),
        ]
        for command in commands:
            said = cli(*command, DATABASE_URL=logins.updater)
            assert said.code == 0, f"{command}: {said.err}"
        as_updater.audit()

    def test_is_told_to_leave_the_schema_to_its_owner(self, cli: Command, logins: Logins) -> None:  # noqa: F811
        for command in (("db", "roles"), ("db", "downgrade", "base")):
            said = cli(*command, DATABASE_URL=logins.updater)
            assert said.code == 1
            assert "The role test_updater may not do that" in said.err
        assert cli("db", "upgrade", DATABASE_URL=logins.owner).out.strip().endswith("may do was renewed")
        assert cli("db", "roles", DATABASE_URL=logins.owner).code == 0

    def test_doctor_says_who_could_destroy(self, cli: Command, logins: Logins) -> None:  # noqa: F811
        assert "role: insight could drop or truncate tb_absence, " in cli("doctor", DATABASE_URL=logins.owner).out
        assert "role: test_updater can neither drop nor truncate" in cli("doctor", DATABASE_URL=logins.updater).out


class TestReader:
    """A login in insight_reader."""

    @pytest.fixture
    def client(self, market: Market, logins: Logins) -> Any:
        for job in JOBS:
            market.run(job)
        with TestClient(create_app(load_settings(database_url=logins.reader)), raise_server_exceptions=False) as client:
            yield client

    @pytest.mark.parametrize(
        "path",
        ["/health/ready", "/api/meta", "/api/price/1?end=2026-01-08", "/api/macro/RATE", "/api/status"],
    )
    def test_serves_the_api(self, client: TestClient, path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text

    @pytest.mark.parametrize("command", ["status", "coverage", "disagreements", "doctor"])
    def test_shows_what_there_is(self, cli: Command, market: Market, logins: Logins, command: str) -> None:  # noqa: F811
        market.run()
        assert cli(command, DATABASE_URL=logins.reader).code == 0

    def test_a_job_ends_before_it_begins_and_says_why(self, market: Market, logins: Logins) -> None:
        from include.insight_invest.errors import StoreError

        reader = replace(market, url=logins.reader)
        with pytest.raises(StoreError, match=r"The role test_reader may not do that\. Updaters are members of"):
            reader.run()
        assert market.ledger() == []
