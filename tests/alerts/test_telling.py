"""Once, from the database; and without it all the same."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from include.insight_invest import clock
from include.insight_invest.orchestration.alerts import channels
from include.insight_invest.orchestration.alerts import reach as where
from include.insight_invest.orchestration.alerts.callbacks import failed_run, failed_task, recovered
from include.insight_invest.orchestration.alerts.message import Kind
from include.insight_invest.orchestration.alerts.reach import Mailbox, Reach
from include.insight_invest.orchestration.alerts.telling import Happening, tell, tell_recovery, tell_untold
from include.insight_invest.settings import load_settings
from tests.alerts.receivers import Webhook, mail_server, webhook
from tests.fixtures.airflow import ROOT
from tests.fixtures.market import THURSDAY, Market

RUN = "scheduled__2026-01-08T12:00:00+00:00"
FAILED = Happening(
    dag_id="us_price_updater",
    run_id=RUN,
    what="Task update [0] failed: out of memory",
    log_url="http://log",
    task_id="update",
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


def test_what_was_not_taken_is_told_by_the_next_who_notices_once(market: Market, reach: Reach, slack: Webhook) -> None:
    slack.refuse = 3
    tell(Kind.FAILED, FAILED, reach)
    assert slack.texts == []
    assert market.rows("select kind, told_at from tb_incident") == [("failed", None)]
    the_run = replace(FAILED, what="The run failed.", task_id=None)
    tell(Kind.FAILED, the_run, reach)
    tell(Kind.FAILED, the_run, reach)
    assert slack.subjects == [f"[insight-invest local] us_price_updater failed: {RUN}"]
    assert "\nTask update [0] failed: out of memory\n" in slack.texts[0]
    assert slack.texts[0].endswith("Log: http://log\nRunbook: docs/runbooks/failed.md")
    assert market.rows("select kind, told_at is not null from tb_incident") == [("failed", True)]


def test_it_is_told_again_only_to_those_who_did_not_take_it(market: Market, reach: Reach, slack: Webhook) -> None:
    mailed = replace(reach, settings=reach.settings.model_copy(update={"alert_email": ("one@example.com",)}))
    tell(Kind.LATE, FAILED, mailed)  # without smtp_default
    tell(Kind.LATE, replace(FAILED, dag_id="canary"), mailed)
    assert len(slack.texts) == 2
    with mail_server() as (port, mails):
        extra = {"disable_tls": True, "disable_ssl": True, "from_email": "airflow@example.com"}
        box = Mailbox(host="127.0.0.1", port=port, login=None, password=None, extra_dejson=extra)
        tell_untold(replace(mailed, smtp=box))
        tell_untold(replace(mailed, smtp=box))
    assert len(mails) == 2
    assert len(slack.texts) == 2


def test_another_dags_success_tells_it(market: Market, reach: Reach, slack: Webhook) -> None:
    slack.refuse = 3
    tell(Kind.LATE, FAILED, reach)
    tell_recovery(replace(FAILED, dag_id="canary"), reach, None)
    tell_untold(reach)
    assert slack.subjects == [f"[insight-invest local] us_price_updater is late: {RUN}"]


def test_a_finding_that_stays_is_told_once_and_its_end_once(reach: Reach, slack: Webhook) -> None:
    found = replace(FAILED, dag_id="data_integrity", what="3 bars are missing", task_id="gaps")
    for run_id in ("one", "two", "three"):
        tell(Kind.FAILED, replace(found, run_id=run_id), reach)
        tell(Kind.FAILED, replace(found, run_id=run_id, what="The run failed.", task_id=None), reach)
    tell(Kind.FAILED, replace(found, run_id="three", what="a run hangs", task_id="last_runs"), reach)
    for _ in range(2):
        tell_recovery(replace(found, run_id="four"), reach, clock.now() + timedelta(hours=1))
    names = ("failed: one", "failed: three", "is back to normal: four")
    assert slack.subjects == [f"[insight-invest local] data_integrity {name}" for name in names]
    over = [line.split("UTC ")[1] for line in slack.texts[2].splitlines() if line.startswith("Over:")]
    assert over == ["(run one).", "(run three)."]


@pytest.mark.parametrize(
    ("dag_id", "params", "whole"),
    [
        ("us_price_updater", {"dry_run": False, "tickers": None, "full_refresh": True}, True),
        ("us_price_updater", {"dry_run": False, "tickers": "AAPL"}, False),
        ("data_integrity", {"held_days": 7, "closure_days": 3, "gap_percent": 1, "disagreements": 20}, True),
        ("data_integrity", {"held_days": 7, "closure_days": 3, "gap_percent": 9, "disagreements": 20}, False),
        ("backfill", {"dry_run": False, "start": "2020-01-01"}, True),
        ("backfill", {"dry_run": True, "start": "2020-01-01"}, False),
    ],
)
def test_only_a_whole_run_ends_what_others_had_open(
    reach: Reach, slack: Webhook, monkeypatch: pytest.MonkeyPatch, dag_id: str, params: dict[str, Any], whole: bool
) -> None:
    monkeypatch.setattr(where, "reach", lambda: reach)
    tell(Kind.FAILED, replace(FAILED, dag_id=dag_id), reach)
    run = SimpleNamespace(run_after=clock.now() + timedelta(hours=1), start_date=None)
    recovered({"dag": SimpleNamespace(dag_id=dag_id), "run_id": "next", "dag_run": run, "params": params})
    assert len(slack.texts) == (2 if whole else 1)


def test_tasks_of_a_run_are_told_apart_its_shards_are_not_and_a_cleared_run_is_told_again(
    reach: Reach, slack: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, "reach", lambda: reach)

    def fail(started_at: datetime) -> None:
        run = SimpleNamespace(start_date=started_at)
        context = {"dag": SimpleNamespace(dag_id="us_price_updater"), "run_id": RUN, "dag_run": run}
        for task_id, shard in (("update", 0), ("update", 1), ("audit", -1)):
            ti = SimpleNamespace(task_id=task_id, map_index=shard, try_number=1, log_url="http://log")
            failed_task(context | {"ti": ti, "exception": ValueError("no")})
        failed_run(context | {"reason": "task_failure"})

    def told() -> list[str]:
        return [text.splitlines()[3] for text in slack.texts]

    once = ["Task update [0] failed, try 1: ValueError: no", "Task audit failed, try 1: ValueError: no"]
    started_at = clock.now()
    fail(started_at)
    fail(started_at)
    assert told() == once
    fail(clock.now())
    assert told() == once * 2


def test_an_unusable_environment_is_told_to_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("INSIGHT_TIMEOUT", "soon")
    tell(Kind.FAILED, FAILED, where.reach())
    assert (
        "alerts go to this log only, and nobody knows what was told: unusable environment: INSIGHT_TIMEOUT"
        in caplog.text
    )
    assert f"us_price_updater failed: {RUN}\nus_price_updater (US stock prices) failed." in caplog.text


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
