"""Whether a deadline that has passed means that a run is late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from include.insight_invest.orchestration.alerts.message import Kind


class Deadline(StrEnum):
    """Which deadline: since the run was queued, or on the clock since its logical date."""

    TIME_OUT = "time-out"
    DUE = "due"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is to be told; ``kind`` None: nothing, and ``what`` says why."""

    kind: Kind | None
    what: str


def verdict(
    which: Deadline, after: timedelta, passed_at: datetime, timezone: str, dag_run: Mapping[str, Any]
) -> Verdict:
    """Judge the deadline ``which``, ``after`` its reference, that a run has let pass at ``passed_at``.

    ``dag_run`` is the run as Airflow's API shows it, at the moment at which its scheduler noticed. Nobody waits for a
    backfill, and only a scheduled run has an hour at which its data must be there, unless it was queued after that: its
    Dag was paused until then.
    """
    run_type, state = dag_run["run_type"], dag_run["state"]
    if run_type == "backfill":
        return Verdict(kind=None, what="a backfill has no deadline")
    if which is Deadline.DUE and run_type != "scheduled":
        return Verdict(kind=None, what=f"a run that is {run_type} has no hour at which its data must be there")
    if state == "success":
        return Verdict(kind=None, what=f"it has ended since, at {dag_run['end_date']}: its data is there")
    if state == "failed":
        return Verdict(kind=Kind.FAILED, what=f"The run has failed, at {dag_run['end_date']}.")
    if which is Deadline.DUE and dag_run["queued_at"] and _instant(dag_run["queued_at"]) > passed_at:
        return Verdict(
            kind=None, what=f"it was queued at {dag_run['queued_at']}, after that: only its time-out can make it late"
        )
    if which is Deadline.DUE:
        local = passed_at.astimezone(ZoneInfo(timezone))
        return Verdict(
            kind=Kind.LATE, what=f"Its data must be there by {local:%Y-%m-%d %H:%M} {timezone}; the run is {state}."
        )
    return Verdict(
        kind=Kind.LATE, what=f"It was queued at {dag_run['queued_at']}, and after {after} the run is still {state}."
    )


def _instant(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
