"""Telling once: what an incident is to the database, and what becomes of it when the database is away."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime

from include.insight_invest import clock
from include.insight_invest.errors import InsightError
from include.insight_invest.log import redact
from include.insight_invest.orchestration.alerts.channels import deliver
from include.insight_invest.orchestration.alerts.facts import job_of, ledger_facts
from include.insight_invest.orchestration.alerts.message import Alert, Kind
from include.insight_invest.orchestration.alerts.reach import Reach
from include.insight_invest.orchestration.context import trigger_of
from include.insight_invest.store import incidents
from include.insight_invest.store.database import Connection, connect

log = logging.getLogger(__name__)

_AWAY = "Rows and coverage: the database does not answer."
_INTEGRITY = "data_integrity"  # its failures are findings, and it runs whenever data came
_LACKING = "\nNot taken yet by: "


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something of a run that an operator ought to know; shards of a task are one."""

    dag_id: str
    run_id: str
    what: str
    log_url: str
    task_id: str | None = None
    started_at: datetime | None = None  # the run; again, where it was cleared


def tell(kind: Kind, happening: Happening, reach: Reach) -> None:
    """Tell it, unless it was told before. Where the database is away nobody knows that, and it is told."""
    try:
        incident_id = _open(kind, happening, reach)
    except InsightError as error:
        log.warning("told without the database, and maybe again: %s", redact(str(error)))
        deliver(compose(kind, happening, reach, [_AWAY]), reach)
        return
    if incident_id is None:
        log.info("%s %s: it was told before, or is just being told", happening.dag_id, kind)
    else:
        alert = compose(kind, happening, reach, _facts(happening, reach))
        lacking = deliver(alert, reach)
        _note(reach, incident_id, alert.body, lacking)
        if lacking:
            return
    tell_untold(reach)


def tell_untold(reach: Reach) -> None:
    """Tell what some channels did not take, of any Dag, to those; one that is still down is asked once a call."""
    try:
        with _database(reach) as connection:
            untold = incidents.claim_untold(connection, clock.now())
    except InsightError as error:
        log.warning("nobody knows whether there is something untold: %s", redact(str(error)))
        return
    down: set[str] = set()
    for one in untold:
        text, _, names = one.message.partition(_LACKING)
        wanted = set(names.split(", ")) - down if names else set()
        lacking = set(names.split(", ")) & down if names else set()
        if wanted or not names:
            happening = Happening(dag_id=one.dag_id, run_id=one.dag_run_id, what="", log_url="")
            alert = replace(compose(Kind(one.kind), happening, reach, ()), text=text)
            failed = deliver(alert, reach, wanted)
            down.update(failed)
            lacking.update(failed)
        _note(reach, one.incident_id, text, sorted(lacking))


def _open(kind: Kind, happening: Happening, reach: Reach) -> int | None:
    """Before anything that takes long, so that whoever notices the same leaves it to us."""
    alert = compose(kind, happening, reach, ())
    incident = incidents.Incident(
        dag_id=happening.dag_id,
        kind=kind,
        cause=happening.task_id or incidents.WHOLE_RUN,
        dag_run_id=happening.run_id,
    )
    with _database(reach) as connection:
        return incidents.open_incident(
            connection,
            incident,
            alert.body,
            clock.now(),
            started_at=happening.started_at,
            finding=f"\n\n{alert.paragraph}\n\n" if happening.dag_id == _INTEGRITY else None,
        )


def _note(reach: Reach, incident_id: int, text: str, lacking: Sequence[str]) -> None:
    try:
        with _database(reach) as connection:
            if lacking:
                noted = f"{text}{_LACKING}{', '.join(lacking)}"
                incidents.mark_untold(connection, incident_id, noted, clock.now())
            else:
                incidents.mark_told(connection, incident_id, text, clock.now())
    except InsightError as error:
        state = f"told, but not by {', '.join(lacking)}" if lacking else "told"
        log.warning("%s, and the database does not know that: %s", state, redact(str(error)))


def _facts(happening: Happening, reach: Reach) -> list[str]:
    try:
        return ledger_facts(reach.settings, happening.dag_id, trigger_of(happening.run_id))
    except InsightError as error:
        log.warning("told without rows and coverage: %s", redact(str(error)))
        return [_AWAY]


def _database(reach: Reach) -> AbstractContextManager[Connection]:
    return connect(reach.settings.database(), application="insight-invest alerts")


def tell_recovery(happening: Happening, reach: Reach, opened_before: datetime | None) -> None:
    """Close what the run has mended, and say so; without anything open, nothing is said."""
    try:
        with _database(reach) as connection:
            closed = incidents.close_incidents(
                connection, happening.dag_id, happening.run_id, clock.now(), opened_before=opened_before
            )
    except InsightError as error:
        log.warning("nobody knows whether %s had open incidents: %s", happening.dag_id, redact(str(error)))
        return
    if not closed:
        return
    # A finding that several runs had is one.
    since = {(one.kind, one.opened_at): one for one in reversed(closed)}
    over = [
        f"Over: {one.kind} since {one.opened_at:%Y-%m-%d %H:%M} UTC (run {one.dag_run_id})."
        for one in reversed(since.values())
    ]
    facts = _facts(happening, reach)
    deliver(compose(Kind.NORMAL, happening, reach, [*over, *facts]), reach)


def compose(kind: Kind, happening: Happening, reach: Reach, facts: Sequence[str]) -> Alert:
    """The message, without anything secret in what others have said."""
    job = job_of(happening.dag_id)
    return Alert(
        kind=kind,
        environment=reach.settings.environment,
        dag_id=happening.dag_id,
        title=job.title if job else "",
        run_id=happening.run_id,
        what=redact(happening.what),
        facts=facts,
        log_url=happening.log_url,
        runbook=f"{reach.settings.runbooks.rstrip('/')}/{_runbook(kind, happening.dag_id)}.md",
    )


def _runbook(kind: Kind, dag_id: str) -> str:
    if kind is Kind.LATE:
        return "late"
    return "quality" if dag_id == _INTEGRITY else "failed"
