"""Telling once: what an incident is to the database, and what becomes of it when the database is away."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from include.insight_invest import clock
from include.insight_invest.errors import InsightError
from include.insight_invest.log import redact
from include.insight_invest.orchestration.alerts.channels import deliver
from include.insight_invest.orchestration.alerts.facts import job_of, ledger_facts
from include.insight_invest.orchestration.alerts.message import Alert, Kind
from include.insight_invest.orchestration.alerts.reach import Reach
from include.insight_invest.store import incidents
from include.insight_invest.store.database import connect

log = logging.getLogger(__name__)

CAUSE = "run"  # one incident of a kind a run, whatever of it is late or has failed


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something of a run that an operator ought to know."""

    dag_id: str
    run_id: str
    what: str
    log_url: str


def tell(kind: Kind, happening: Happening, reach: Reach) -> None:
    """Tell it, unless it was told before. Where the database is away nobody knows that, and it is told."""
    settings, incident_id = reach.settings, None
    incident = incidents.Incident(dag_id=happening.dag_id, kind=kind, cause=CAUSE, dag_run_id=happening.run_id)
    alert = compose(kind, happening, reach, ())
    try:
        facts = ledger_facts(settings, happening.dag_id, f"airflow {happening.run_id}")
        alert = compose(kind, happening, reach, facts)
        with connect(settings.database(), application="insight-invest alerts") as connection:
            incident_id = incidents.open_incident(connection, incident, alert.body, clock.now())
    except InsightError as error:
        log.warning("told without the database, and maybe again: %s", redact(str(error)))
        deliver(compose(kind, happening, reach, ["Rows and coverage: the database does not answer."]), reach)
        return
    if incident_id is None:
        log.info("%s %s: it was told before", happening.dag_id, kind)
        return
    if deliver(alert, reach):
        return  # told_at stays empty: whoever notices it again tells it again
    try:
        with connect(settings.database(), application="insight-invest alerts") as connection:
            incidents.mark_told(connection, incident_id, clock.now())
    except InsightError as error:
        log.warning("told, but the database does not know that: %s", redact(str(error)))


def tell_recovery(happening: Happening, reach: Reach, opened_before: datetime | None) -> None:
    """Close what the run has mended, and say so; without anything open, nothing is said."""
    try:
        with connect(reach.settings.database(), application="insight-invest alerts") as connection:
            closed = incidents.close_incidents(
                connection, happening.dag_id, happening.run_id, clock.now(), opened_before=opened_before
            )
        if not closed:
            return
        facts = ledger_facts(reach.settings, happening.dag_id, f"airflow {happening.run_id}")
    except InsightError as error:
        log.warning("nobody knows whether %s had open incidents: %s", happening.dag_id, redact(str(error)))
        return
    over = [f"Over: {one.kind} since {one.opened_at:%Y-%m-%d %H:%M} UTC (run {one.dag_run_id})." for one in closed]
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
    return "quality" if dag_id == "data_integrity" else "failed"  # its failures are findings
