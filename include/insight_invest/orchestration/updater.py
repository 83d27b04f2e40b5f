"""The Dag of a job: prepare → update, a task a shard → audit.

``prepare`` settles the session and the shards, ``update`` runs the updater, in this worker or on ECS, and ``audit``
proves that ledger and data agree. Everything heavy is imported inside the tasks.
"""

import logging
from datetime import date, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetAlias, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from include.insight_invest.errors import InsightError, UsageError
from include.insight_invest.jobs import JOBS, Job
from include.insight_invest.orchestration.alerts.deadlines import with_deadlines
from include.insight_invest.orchestration.assets import ASSETS
from include.insight_invest.orchestration.context import (
    LEASE_WAIT_SECONDS,
    REASON,
    as_of_run,
    final_when_wrong,
    task_settings,
    trigger_of,
)
from include.insight_invest.orchestration.defaults import job_arguments, run_params
from include.insight_invest.orchestration.freshness import publish_freshness
from include.insight_invest.orchestration.pools import BACKFILL_POOL
from include.insight_invest.settings import Execution, load_settings

log = logging.getLogger(__name__)

CHOSEN = AssetAlias("backfilled")  # which asset it stands for, a run says


def updater_dag(job: Job, doc_md: str | None) -> DAG:
    """The Dag that runs ``job`` on its schedule; ``doc_md`` is its page in the UI."""

    @dag(
        dag_id=job.dag_id,
        dag_display_name=job.title,
        description=f"{job.title} into PostgreSQL, from {', '.join(job.sources)}",
        doc_md=doc_md,
        schedule=job.schedule,
        params=run_params(),
        **job_arguments(job),
    )
    def updater() -> None:
        run_job(job)

    return with_deadlines(updater(), time_out=job.execution_timeout, due_after=job.due_after, timezone=job.timezone)


def run_job(job: Job) -> None:
    """The three tasks of ``job``, in the Dag that is being defined."""
    _tasks(job, pool=job.pool, time_out=job.execution_timeout, outlet=ASSETS[job.name])


def run_chosen_job(time_out: timedelta) -> None:
    """The same three for the job that the run's parameter ``job`` names.

    They have a pool of their own, as a task's pool is not a run's to choose: the job's lease keeps two updates of it
    apart, and the sources' shared pace holds for whoever asks.
    """
    _tasks(None, pool=BACKFILL_POOL, time_out=time_out, outlet=CHOSEN)


def _tasks(job: Job | None, *, pool: str, time_out: timedelta, outlet: Asset | AssetAlias) -> None:
    name = job.name if job else None
    shards = prepare(name)
    if load_settings().execution is Execution.ECS:
        from include.insight_invest.orchestration.ecs import update_on_ecs

        updated = update_on_ecs(pool=pool, time_out=time_out).expand(shard=shards)
    else:
        updated = update.override(pool=pool).partial(name=name).expand(shard=shards)
    proven = audit.override(outlets=[outlet])(name, shards)  # type: ignore[arg-type]  # at run time
    updated >> proven


@task
def prepare(name: str | None) -> list[dict[str, Any]]:
    """Settle at which instant the run looks at the world, which session is its newest, and its shards.

    On a day on which there is nothing to do there are none: the ledger says so, the tasks after this one are skipped.
    """
    from include.insight_invest.planning import plan

    context = get_current_context()
    job = _job(name, context)
    with final_when_wrong():
        settings = task_settings()
        planned = plan(job, _options(context), settings)
        shards = [
            {
                "job": job.name,
                "label": planned.label(shard),
                "shard": list(shard),
                "as_of": planned.as_of.isoformat(),
                "session": planned.session.isoformat(),
                "planned_at": planned.planned_at.isoformat(),
            }
            for shard in planned.shards
        ]
    log.info("%s as of %s: the last session is %s", job.name, planned.as_of.isoformat(), planned.session)
    if planned.warning:
        log.warning("%s", planned.warning)
    if not planned.reason:
        return shards
    log.info("nothing to do: %s", planned.reason)
    with final_when_wrong():
        for shard in shards:
            _run(job, _options(context, shard), settings)
    context["ti"].xcom_push(key=REASON, value=planned.reason)
    publish_freshness(job, settings)
    return []


# Shards take turns, and so do a backfill's runs beside the Dag's: the source's rate is everybody's.
@task(max_active_tis_per_dag=1, map_index_template="{{ task.op_kwargs['shard']['label'] }}")
def update(name: str | None, shard: dict[str, Any]) -> dict[str, Any]:
    """Run the updater of one shard in this worker; its report, less the tickers, is the task's result."""
    context = get_current_context()
    with final_when_wrong():
        return _run(_job(name, context), _options(context, shard), task_settings())


@task
def audit(name: str | None, shards: list[dict[str, Any]]) -> dict[str, Any]:
    """Prove that every shard is committed, that ledger and data agree and that nothing is missing unrecorded.

    What it has proven is its result, and the event of the job's asset. A dry run has left nothing to prove.
    """
    from include.insight_invest.audit import audit_run

    context = get_current_context()
    job = _job(name, context)
    if context["params"]["dry_run"]:
        raise AirflowSkipException(f"{job.name}: a dry run, nothing was written")
    divisions = [(index, count) for index, count in (shard["shard"] for shard in shards)]
    try:
        settings = task_settings()
        # a run that was cleared with its plan starts anew: what came before is not its own
        planned_at = datetime.fromisoformat(shards[0]["planned_at"])
        proof = audit_run(job, settings, trigger_of(context["run_id"]), divisions, planned_at)
    except UsageError as error:
        raise AirflowFailException(str(error)) from None
    except InsightError as error:
        raise AirflowException(str(error)) from None
    covered = proof.coverage
    told = {
        "job": job.name,
        "session": shards[0]["session"],
        "as_of": shards[0]["as_of"],
        "run_ids": [run.run_id for run in proof.runs],
        "rows": proof.rows,
        "coverage": round(covered.share, 6) if covered else None,
        "expected": covered.sessions if covered else None,
        "open_gaps": covered.open_gaps if covered else None,
    }
    if name:
        context["outlet_events"][ASSETS[name]].extra = told
    else:
        context["outlet_events"][CHOSEN].add(ASSETS[job.name], extra=told)
    log.info("%s: ledger and data agree: %s", job.name, told)
    publish_freshness(job, settings, rows=proof.rows, coverage=covered.share if covered else None)
    return told


def _job(name: str | None, context: Any) -> Job:
    """The Dag's own job, or the one that the run was asked for."""
    return JOBS[name or context["params"]["job"]]


def _run(job: Job, options: Any, settings: Any) -> dict[str, Any]:
    from include.insight_invest.runner import run

    report = run(job, options, settings, on_change=_log_change if options.dry_run else None)
    for note in report.notes:
        log.warning("%s", note)
    if report.exit_code:
        final = report.exit_code == UsageError.exit_code
        raise (AirflowFailException if final else AirflowException)(report.summary())
    return report.model_dump(mode="json", exclude={"problems"})


def _options(context: Any, shard: dict[str, Any] | None = None) -> Any:
    """What a run is asked for by its parameters, of one shard where ``prepare`` has settled that."""
    from include.insight_invest.updaters.progress import RunOptions

    params, dag_run = context["params"], context["dag_run"]
    return RunOptions(
        as_of=datetime.fromisoformat(shard["as_of"]) if shard else as_of_run(dag_run),
        dry_run=params["dry_run"],
        tickers=tuple(ticker.strip() for ticker in (params["tickers"] or "").split(",") if ticker.strip()),
        start=date.fromisoformat(params["start"]) if params["start"] else None,
        end=date.fromisoformat(params["end"]) if params["end"] else None,
        shard=(shard["shard"][0], shard["shard"][1]) if shard else (1, 1),
        full_refresh=params["full_refresh"],
        wait=LEASE_WAIT_SECONDS,
        trigger=trigger_of(dag_run.run_id),
    )


def _log_change(change: object) -> None:
    log.info("%s", change)
