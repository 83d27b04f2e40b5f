"""The words of an alert."""

from dataclasses import replace
from typing import Any

from include.insight_invest.orchestration.alerts.message import Alert, Kind

LATE = Alert(
    kind=Kind.LATE,
    environment="production",
    dag_id="us_price_updater",
    title="US stock prices",
    run_id="scheduled__2026-11-20T09:00:00+00:00",
    what="Its data must be there by 2026-11-20 19:30 Asia/Seoul; the run is running.",
    facts=["Rows of this run: 4 new, 0 changed, 0 unchanged, 0 held back (part 1/1 succeeded)."],
    log_url="https://airflow.example.com/dags/us_price_updater/runs/scheduled__2026-11-20T09%3A00%3A00%2B00%3A00",
    runbook="docs/runbooks/late.md",
)


def with_changes(**changes: Any) -> Alert:
    return replace(LATE, **changes)


def test_a_subject_is_one_line() -> None:
    assert LATE.subject == "[insight-invest production] us_price_updater is late: scheduled__2026-11-20T09:00:00+00:00"


def test_sns_takes_the_subject_of_the_longest_names() -> None:
    subject = with_changes(run_id="manual__\n한국" + "x" * 300, environment="p" * 40).subject
    assert len(subject) == 100
    assert subject.isascii()
    assert subject.startswith(f"[insight-invest {'p' * 40}] us_price_updater is late: manual__ ??xxx")


def test_a_body_says_what_it_is_what_the_ledger_has_and_where_to_go() -> None:
    assert LATE.body == (
        "us_price_updater (US stock prices) is late.\n"
        "\n"
        "Its data must be there by 2026-11-20 19:30 Asia/Seoul; the run is running.\n"
        "\n"
        "Run: scheduled__2026-11-20T09:00:00+00:00\n"
        "Rows of this run: 4 new, 0 changed, 0 unchanged, 0 held back (part 1/1 succeeded).\n"
        "Log: https://airflow.example.com/dags/us_price_updater/runs/scheduled__2026-11-20T09%3A00%3A00%2B00%3A00\n"
        "Runbook: docs/runbooks/late.md"
    )


def test_a_long_error_is_cut() -> None:
    body = with_changes(kind=Kind.FAILED, what="e" * 5000).body
    assert body.splitlines()[0] == "us_price_updater (US stock prices) failed."
    assert body.splitlines()[2] == "e" * 2000 + " ..."


def test_a_dag_without_another_name_has_one() -> None:
    assert with_changes(dag_id="canary", title="").body.splitlines()[0] == "canary is late."
