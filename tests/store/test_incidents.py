"""What an operator is told once, and what a success closes."""

from datetime import UTC, datetime, timedelta

import pytest

from include.insight_invest.store.database import Connection
from include.insight_invest.store.incidents import Closed, Incident, close_incidents, mark_told, open_incident

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATE = Incident(dag_id="us_price_updater", kind="late", cause="run", dag_run_id="monday")
FAILED = Incident(dag_id="us_price_updater", kind="failed", cause="run", dag_run_id="monday")


def later(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_the_first_to_notice_tells_it_and_nobody_after_it(connection: Connection) -> None:
    assert open_incident(connection, LATE, "late", NOON) == 1
    assert open_incident(connection, LATE, "late", later(1)) is None
    mark_told(connection, 1, later(2))
    assert open_incident(connection, LATE, "late", later(600)) is None
    assert open_incident(connection, FAILED, "failed", later(600)) is not None


def test_a_run_that_has_failed_is_not_late_as_well(connection: Connection) -> None:
    assert open_incident(connection, FAILED, "failed", NOON) is not None
    assert open_incident(connection, LATE, "late", later(1)) is None
    close_incidents(connection, "us_price_updater", "monday", later(2), opened_before=None)
    assert open_incident(connection, LATE, "late", later(3)) is not None


def test_what_no_channel_took_is_told_by_who_notices_it_a_quarter_of_an_hour_later(connection: Connection) -> None:
    assert open_incident(connection, LATE, "late", NOON) == 1
    assert open_incident(connection, LATE, "late", later(14)) is None
    assert open_incident(connection, LATE, "late", later(16)) == 1
    assert open_incident(connection, LATE, "late", later(17)) is None


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
        mark_told(connection, first or 0, NOON)
    close_incidents(connection, "us_price_updater", "monday", later(1), opened_before=None)
    assert open_incident(connection, FAILED, "failed again", later(2)) == first
    assert connection.execute("select message, opened_at, told_at, closed_at from tb_incident").fetchall() == [
        ("failed again", later(2), None, None)
    ]
