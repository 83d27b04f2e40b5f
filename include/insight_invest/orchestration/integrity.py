"""The Dag that looks at the data whenever some came, and once a day in any case: silence is what it listens for."""

import logging
from dataclasses import fields
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.insight_invest.jobs import Tag
from include.insight_invest.limits import Limits
from include.insight_invest.orchestration.alerts.deadlines import with_deadlines
from include.insight_invest.orchestration.assets import any_asset
from include.insight_invest.orchestration.context import as_of_run, final_when_wrong, task_settings
from include.insight_invest.orchestration.defaults import TIMEZONE, dag_arguments

log = logging.getLogger(__name__)

_LATE_AFTER = timedelta(minutes=45)
_USUAL = Limits()

# After the hour at which Korea's prices and the macro series must be there; the US ones are checked when they come.
_DAILY = "0 10 * * *"
_STATEMENT_SECONDS = 600
# Named here, as reading `health` loads the store; a test holds the two together.
CHECKS = ("freshness", "last_runs", "gaps", "closures", "second_sources", "quarantine", "invariants")


def data_integrity_dag(doc_md: str | None) -> DAG:
    """The Dag ``data_integrity``: a task a check, so that an alert names the check."""

    @dag(
        dag_id="data_integrity",
        dag_display_name="Data integrity",
        description="Whether what is stored is whole, fresh and believed",
        doc_md=doc_md,
        schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable(_DAILY, timezone=TIMEZONE), assets=any_asset()),
        params={
            "held_days": Param(
                _USUAL.held_days, type="integer", minimum=1, description="Days a row may wait in quarantine."
            ),
            "closure_days": Param(
                _USUAL.closure_days, type="integer", minimum=1, description="Days a suspected closure may wait."
            ),
            "gap_percent": Param(
                _USUAL.gap_percent, type="number", minimum=0, maximum=100, description="Missing bars of a market."
            ),
            "disagreements": Param(
                _USUAL.disagreements, type="integer", minimum=0, description="Values that two sources see differently."
            ),
        },
        **dag_arguments(tags=[Tag.QUALITY.value], execution_timeout=timedelta(minutes=15)),
    )
    def data_integrity() -> None:
        for name in CHECKS:
            check.override(task_id=name)(name)

    return with_deadlines(data_integrity(), time_out=_LATE_AFTER, timezone=TIMEZONE)


@task
def check(name: str) -> dict[str, Any]:
    """Run one check. A finding fails the task at once, as trying again does not mend it, and says what to do."""
    from include.insight_invest import health
    from include.insight_invest.store.migrate import require_current
    from include.insight_invest.store.read import reader

    context = get_current_context()
    limits = Limits(**{one.name: context["params"][one.name] for one in fields(Limits)})
    with final_when_wrong():
        url = task_settings().database()
        with reader(url, application=f"insight-invest {name}", statement_seconds=_STATEMENT_SECONDS) as connection:
            require_current(connection)
            verdict = health.CHECKS[name](connection, as_of_run(context["dag_run"]), limits)
    for note in verdict.notes:
        log.info("%s", note)
    if verdict.findings:
        raise AirflowFailException(" / ".join(verdict.findings))
    return {"check": name, "notes": list(verdict.notes)}
