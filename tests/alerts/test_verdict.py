"""Whether a deadline that has passed means that a run is late."""

from datetime import UTC, datetime, timedelta

import pytest

from include.insight_invest.orchestration.alerts.message import Kind
from include.insight_invest.orchestration.alerts.verdict import Deadline, verdict

PASSED_AT = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
ENDED = "2026-11-20T09:12:00Z"


@pytest.mark.parametrize(
    ("which", "run_type", "state", "kind", "what"),
    [
        (
            *(Deadline.DUE, "scheduled", "running", Kind.LATE),
            "Its data must be there by 2026-11-20 19:30 Asia/Seoul; the run is running.",
        ),
        (
            *(Deadline.TIME_OUT, "scheduled", "queued", Kind.LATE),
            "It was queued at 2026-11-20T09:00:01Z, and after 0:30:00 the run is still queued.",
        ),
        (
            *(Deadline.TIME_OUT, "manual", "running", Kind.LATE),
            "It was queued at 2026-11-20T09:00:01Z, and after 0:30:00 the run is still running.",
        ),
        (Deadline.DUE, "scheduled", "failed", Kind.FAILED, f"The run has failed, at {ENDED}."),
        (Deadline.TIME_OUT, "manual", "failed", Kind.FAILED, f"The run has failed, at {ENDED}."),
        (Deadline.DUE, "scheduled", "success", None, f"it has ended since, at {ENDED}: its data is there"),
        (
            *(Deadline.DUE, "manual", "running", None),
            "a run that is manual has no hour at which its data must be there",
        ),
        (
            *(Deadline.DUE, "asset_triggered", "running", None),
            "a run that is asset_triggered has no hour at which its data must be there",
        ),
        (Deadline.DUE, "backfill", "queued", None, "a backfill has no deadline"),
        (Deadline.TIME_OUT, "backfill", "failed", None, "a backfill has no deadline"),
    ],
)
def test_what_a_deadline_means(which: Deadline, run_type: str, state: str, kind: Kind | None, what: str) -> None:
    dag_run = {"run_type": run_type, "state": state, "queued_at": "2026-11-20T09:00:01Z", "end_date": ENDED}
    judged = verdict(which, timedelta(minutes=30), PASSED_AT, "Asia/Seoul", dag_run)
    assert (judged.kind, judged.what) == (kind, what)


def test_a_run_that_was_queued_after_its_hour_is_not_late_by_it() -> None:
    dag_run = {"run_type": "scheduled", "state": "running", "queued_at": "2026-11-20T10:31:00Z", "end_date": None}
    due, time_out = (
        verdict(which, timedelta(minutes=30), PASSED_AT, "Asia/Seoul", dag_run)
        for which in (Deadline.DUE, Deadline.TIME_OUT)
    )
    said = "it was queued at 2026-11-20T10:31:00Z, after that: only its time-out can make it late"
    assert (due.kind, due.what) == (None, said)
    assert time_out.kind is Kind.LATE
