"""The Dag that takes over the exchanges' listings."""

import logging
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, dag, task

from include.insight_invest.jobs import JOBS, Kind, Tag
from include.insight_invest.orchestration.alerts.deadlines import with_deadlines
from include.insight_invest.orchestration.context import final_when_wrong, task_settings
from include.insight_invest.orchestration.defaults import TIMEZONE, dag_arguments

log = logging.getLogger(__name__)

_LATE_AFTER = timedelta(minutes=45)


def universe_sync_dag(doc_md: str | None) -> DAG:
    """The Dag ``universe_sync``: a task a market, so that one does not stop the other."""

    @dag(
        dag_id="universe_sync",
        dag_display_name="Universe",
        description="Which shares there are, from the exchanges' own listings",
        doc_md=doc_md,
        schedule="0 12 * * SUN",
        **dag_arguments(tags=[Tag.UNIVERSE.value, Tag.US.value, Tag.KR.value], execution_timeout=timedelta(minutes=15)),
    )
    def universe_sync() -> None:
        for job in JOBS.values():
            if job.kind is Kind.PRICES:
                # Not mapped: a task's pool is that of its market's updates, whose lease it wants.
                sync.override(task_id=f"sync_{job.iso_code.lower()}", pool=job.pool)(job.iso_code)

    return with_deadlines(universe_sync(), time_out=_LATE_AFTER, timezone=TIMEZONE)


@task
def sync(iso_code: str) -> dict[str, Any]:
    """Take over the listing of ``iso_code``; the result says what changed and what waits for an operator's word."""
    from include.insight_invest import clock
    from include.insight_invest.store.link import connect_patiently
    from include.insight_invest.store.migrate import require_current
    from include.insight_invest.universe.sync import sync_listing

    with final_when_wrong():
        settings = task_settings()
        with connect_patiently(settings, application="insight-invest universe") as connection:
            require_current(connection)
            synced = sync_listing(connection, settings, iso_code, clock.now())
    for note in synced.notes:
        log.warning("%s: %s", iso_code, note)
    log.info("%s: %d listed, %d added, %d updated", iso_code, synced.listed, synced.new, synced.changed)
    return {"market": iso_code, **asdict(synced), "renames": [list(pair) for pair in synced.renames]}
