"""Once, from the database; and without it all the same."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from include.insight_invest.orchestration.alerts import channels
from include.insight_invest.orchestration.alerts.message import Kind
from include.insight_invest.orchestration.alerts.reach import Reach
from include.insight_invest.orchestration.alerts.telling import Happening, tell, tell_recovery
from include.insight_invest.settings import load_settings
from tests.alerts.receivers import Webhook, webhook
from tests.fixtures.airflow import ROOT
from tests.fixtures.market import THURSDAY, Market

RUN = "scheduled__2026-01-08T12:00:00+00:00"
FAILED = Happening(
    dag_id="us_price_updater", run_id=RUN, what="Task update [0] failed: out of memory", log_url="http://log"
)


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setattr(channels, "PAUSE", 0.01)
    with webhook() as server:
        yield server


@pytest.fixture
def reach(database: str, slack: Webhook) -> Reach:
    return Reach(settings=load_settings(database_url=database), slack=SecretStr(slack.url))


def test_several_shards_that_fail_are_one_message_with_rows_and_coverage(
    market: Market, reach: Reach, slack: Webhook
) -> None:
    market.run("us-price", trigger=f"airflow {RUN}")
    tell(Kind.FAILED, FAILED, reach)
    tell(Kind.FAILED, replace(FAILED, what="Task update [1] failed"), reach)
    assert slack.texts == [
        f"*[insight-invest local] us_price_updater failed: {RUN}*\n"
        "us_price_updater (US stock prices) failed.\n"
        "\n"
        "Task update [0] failed: out of memory\n"
        "\n"
        f"Run: {RUN}\n"
        "Rows of this run: 6 new, 0 changed, 0 unchanged, 0 held back (part 1/1 succeeded).\n"
        "Coverage: 100.00% of us-price: 6 sessions of 2 tickers up to 2026-01-07: 6 bars (0 without trade), "
        "0 held back, 0 that no source has, 0 missing and asked for again, 0 unexplained.\n"
        "Log: http://log\n"
        "Runbook: docs/runbooks/failed.md"
    ]
    assert market.rows("select kind, dag_run_id, told_at is not null, closed_at from tb_incident") == [
        ("failed", RUN, True, None)
    ]


@pytest.mark.parametrize(
    ("kind", "dag_id", "runbook"),
    [(Kind.LATE, "canary", "late"), (Kind.FAILED, "canary", "failed"), (Kind.FAILED, "data_integrity", "quality")],
)
def test_each_message_names_its_runbook(reach: Reach, slack: Webhook, kind: Kind, dag_id: str, runbook: str) -> None:
    tell(kind, replace(FAILED, dag_id=dag_id), reach)
    assert slack.texts[0].splitlines()[-1] == f"Runbook: docs/runbooks/{runbook}.md"
    assert (ROOT / f"docs/runbooks/{runbook}.md").is_file()


def test_what_was_not_taken_is_not_told(market: Market, reach: Reach, slack: Webhook) -> None:
    slack.refuse = 3
    tell(Kind.LATE, FAILED, reach)
    assert market.rows("select kind, told_at from tb_incident") == [("late", None)]


def test_with_the_database_away_it_is_told_all_the_same(slack: Webhook, caplog: pytest.LogCaptureFixture) -> None:
    away = load_settings(database_url="postgresql://me:hidden@127.0.0.1:9/insight")
    with caplog.at_level(logging.WARNING):
        tell(Kind.LATE, FAILED, Reach(settings=away, slack=SecretStr(slack.url)))
    assert "Rows and coverage: the database does not answer." in slack.texts[0]
    assert "told without the database, and maybe again" in caplog.text
    assert "hidden" not in caplog.text


def test_without_the_connection_it_is_told_all_the_same(slack: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    tell(Kind.LATE, FAILED, Reach(settings=load_settings(), slack=SecretStr(slack.url)))
    assert slack.subjects == [f"[insight-invest local] us_price_updater is late: {RUN}"]


def test_a_recovery_is_told_once_and_only_where_something_was_open(
    market: Market, reach: Reach, slack: Webhook
) -> None:
    tell_recovery(FAILED, reach, None)
    assert slack.texts == []
    tell(Kind.FAILED, FAILED, reach)
    market.run("us-price", as_of=THURSDAY, trigger=f"airflow {RUN}")
    tell_recovery(replace(FAILED, what="The run succeeded."), reach, None)
    tell_recovery(replace(FAILED, what="The run succeeded."), reach, None)
    assert slack.subjects == [
        f"[insight-invest local] us_price_updater failed: {RUN}",
        f"[insight-invest local] us_price_updater is back to normal: {RUN}",
    ]
    assert f"UTC (run {RUN}).\nRows of this run: 6 new" in slack.texts[1]
