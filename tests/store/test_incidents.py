"""What an operator is told once, and what a success closes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.insight_invest.store.database import Connection
from include.insight_invest.store.incidents import (
    Closed,
    Incident,
    Untold,
    claim_untold,
    close_incidents,
    mark_told,
    mark_untold,
    open_incident,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATE = Incident(dag_id="us_price_updater", kind="late", cause="run", dag_run_id="monday")
FAILED = Incident(dag_id="us_price_updater", kind="failed", cause="run", dag_run_id="monday")


def later(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_the_first_to_notice_tells_it_and_nobody_after_it(connection: Connection) -> None:
    assert open_incident(connection, LATE, "late", NOON) == 1
    assert open_incident(connection, LATE, "late", later(1)) is None
    mark_told(connection, 1, "late", later(2))
    assert open_incident(connection, LATE, "late", later(600)) is None
    assert open_incident(connection, FAILED, "failed", later(600)) is not None


def test_a_run_that_has_failed_is_not_late_as_well(connection: Connection) -> None:
    assert open_incident(connection, FAILED, "failed", NOON) is not None
    assert open_incident(connection, LATE, "late", later(1)) is None
    close_incidents(connection, "us_price_updater", "monday", later(2), opened_before=None)
    assert open_incident(connection, LATE, "late", later(3)) is not None


def test_what_nobody_told_is_claimed_once_a_quarter_of_an_hour_later(connection: Connection) -> None:
    assert open_incident(connection, LATE, "late", NOON) == 1
    assert open_incident(connection, LATE, "late", later(16)) is None
    assert claim_untold(connection, later(14)) == []
    assert claim_untold(connection, later(16)) == [Untold(1, "us_price_updater", "late", "monday", "late")]
    assert claim_untold(connection, later(600)) == []


def test_what_a_channel_did_not_take_is_claimed_at_once(connection: Connection) -> None:
    assert open_incident(connection, LATE, "late", NOON) == 1
    mark_untold(connection, 1, "late, not by email", later(0.1))
    assert claim_untold(connection, later(0.2)) == [
        Untold(1, "us_price_updater", "late", "monday", "late, not by email")
    ]
    mark_untold(connection, 1, "late", later(0.3))
    close_incidents(connection, "us_price_updater", "monday", later(1), opened_before=None)
    assert claim_untold(connection, later(2)) == []


def test_tasks_are_told_apart_and_the_run_only_where_none_of_them_was(connection: Connection) -> None:
    run, gaps, closures = FAILED, replace(FAILED, cause="gaps"), replace(FAILED, cause="closures")
    assert [open_incident(connection, one, "failed", NOON) for one in (gaps, closures, gaps, run)] == [1, 2, None, None]
    assert open_incident(connection, replace(run, dag_run_id="tuesday"), "failed", NOON) is not None


@pytest.mark.parametrize("cause", ["update", "run"])
def test_a_run_that_was_cleared_and_fails_again_is_told_again_once(connection: Connection, cause: str) -> None:
    failed = replace(FAILED, cause=cause)

    def fail(incident: Incident, at: float, started: float) -> int | None:
        return open_incident(connection, incident, "failed", later(at), started_at=later(started))

    assert fail(failed, at=5, started=0) == 1
    mark_told(connection, 1, "failed", later(6))
    assert fail(failed, at=7, started=0) is None
    assert fail(failed, at=20, started=10) == 1
    assert fail(failed, at=21, started=10) is None
    assert fail(FAILED, at=22, started=10) is None


def test_a_finding_is_told_once_a_day_over_all_runs_and_another_one_at_once(connection: Connection) -> None:
    def find(day: str, minutes: float, finding: str, cause: str = "gaps") -> int | None:
        gaps = Incident(dag_id="data_integrity", kind="failed", cause=cause, dag_run_id=day)
        message = f"failed: {finding}. Run: {day}"
        found = open_incident(connection, gaps, message, later(minutes), finding=f": {finding}.")
        if found:
            mark_told(connection, found, message, later(minutes))
        return found

    assert find("monday", 0, "a bar is missing")
    assert find("noon", 6 * 60, "a bar is missing") is None
    assert find("noon", 6 * 60, "a bar is missing", cause="closures")
    assert find("evening", 12 * 60, "two bars are missing")
    assert find("late", 23 * 60, "a bar is missing") is None
    failed_run = Incident(dag_id="data_integrity", kind="failed", cause="run", dag_run_id="late")
    assert open_incident(connection, failed_run, "failed", later(23 * 60), started_at=later(22 * 60)) is None
    assert find("tuesday", 24 * 60, "a bar is missing")
    close_incidents(connection, "data_integrity", "mended", later(25 * 60), opened_before=later(24 * 60 + 1))
    assert find("afterwards", 26 * 60, "a bar is missing")


def test_a_success_closes_its_own_incidents_and_those_from_before_it_and_is_told_of_them_once(
    connection: Connection,
) -> None:
    open_incident(connection, FAILED, "failed", NOON)
    open_incident(connection, Incident(**{**vars(LATE), "dag_run_id": "tuesday"}), "late", later(60))
    open_incident(connection, Incident(**{**vars(LATE), "dag_run_id": "wednesday"}), "late", later(90))
    open_incident(connection, Incident(**{**vars(LATE), "dag_id": "macro_updater"}), "late", NOON)

    def succeed() -> list[Closed]:
        return list(close_incidents(connection, "us_price_updater", "tuesday", later(100), opened_before=later(50)))

    assert succeed() == [Closed("failed", "monday", NOON), Closed("late", "tuesday", later(60))]
    assert succeed() == []
    rows = connection.execute(
        "select dag_id, kind, dag_run_id, closed_by from tb_incident order by incident_id"
    ).fetchall()
    assert rows == [
        ("us_price_updater", "failed", "monday", "tuesday"),
        ("us_price_updater", "late", "tuesday", "tuesday"),
        ("us_price_updater", "late", "wednesday", None),
        ("macro_updater", "late", "monday", None),
    ]


def test_a_part_of_a_job_closes_only_its_own(connection: Connection) -> None:
    open_incident(connection, FAILED, "failed", NOON)
    assert close_incidents(connection, "us_price_updater", "by hand", later(1), opened_before=None) == []
    assert close_incidents(connection, "us_price_updater", "monday", later(1), opened_before=None) == [
        Closed("failed", "monday", NOON)
    ]


@pytest.mark.parametrize("known", [True, False])
def test_what_was_over_and_happens_again_is_told_again(connection: Connection, known: bool) -> None:
    first = open_incident(connection, FAILED, "failed", NOON)
    if known:
        mark_told(connection, first or 0, "failed", NOON)
    close_incidents(connection, "us_price_updater", "monday", later(1), opened_before=None)
    assert open_incident(connection, FAILED, "failed again", later(2)) == first
    assert connection.execute("select message, opened_at, told_at, closed_at from tb_incident").fetchall() == [
        ("failed again", later(2), None, None)
    ]
