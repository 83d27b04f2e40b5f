"""The Dag that fills a range of a job by hand: what the updaters' Dags do, for the job that the run names."""

from datetime import timedelta

from airflow.sdk import DAG, Param, dag

from include.insight_invest.jobs import JOBS, Tag
from include.insight_invest.orchestration.alerts.deadlines import with_deadlines
from include.insight_invest.orchestration.defaults import TIMEZONE, dag_arguments, run_params
from include.insight_invest.orchestration.updater import run_chosen_job

_LATE_AFTER = timedelta(hours=6)  # ten shards take turns
# As long as the longest of the jobs: shards are planned to fit into it.
_TIMEOUT = max((job.execution_timeout for job in JOBS.values()), default=timedelta())


def backfill_dag(doc_md: str | None) -> DAG:
    """The Dag ``backfill``; a run of it writes nothing unless it is told to."""

    @dag(
        dag_id="backfill",
        dag_display_name="Backfill",
        description="A range of one job, by hand: a dry run unless told otherwise",
        doc_md=doc_md,
        schedule=None,
        params={
            "job": Param(next(iter(JOBS)), type="string", enum=list(JOBS), description="Which job."),
            **run_params(dry_run=True),
        },
        **dag_arguments(tags=[Tag.BACKFILL.value, Tag.UPDATER.value], execution_timeout=_TIMEOUT),
    )
    def backfill() -> None:
        run_chosen_job(_TIMEOUT)

    return with_deadlines(backfill(), time_out=_LATE_AFTER, timezone=TIMEZONE)
