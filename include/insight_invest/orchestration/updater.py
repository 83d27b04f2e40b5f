"""The Dag of a job: prepare → update → audit.

``prepare`` settles the instant and the market date, ``update`` runs the updater, ``audit`` proves that ledger and data
agree. Everything heavy is imported inside the tasks.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from airflow.sdk import DAG, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException

from include.insight_invest.errors import ConfigurationError, UsageError
from include.insight_invest.jobs import JOBS, Job
from include.insight_invest.orchestration.database import CONNECTION, connection_url

log = logging.getLogger(__name__)

# Long before the calendars begin: a run before this day would have no task, and be green. There is no catching up.
START = (1970, 1, 2)

_PARAMS = {
    "dry_run": Param(False, type="boolean", description="Fetch, check and log the difference; write nothing."),
    # Airflow's form takes an empty text for a missing one: optional is null.
    "tickers": Param(
        None,
        type=["null", "string"],
        maxLength=2000,
        pattern=r"^[A-Za-z0-9.,/^ _-]*$",
        description="Only these, separated by commas; empty means all.",
    ),
    "start": Param(None, type=["null", "string"], format="date", description="First date wanted."),
    "end": Param(None, type=["null", "string"], format="date", description="Last date wanted."),
    "full_refresh": Param(False, type="boolean", description="Ask for the whole history again."),
}


def updater_dag(job: Job, doc_md: str | None) -> DAG:
    """The Dag that runs ``job`` on its schedule; ``doc_md`` is its page in the UI."""
    import pendulum

    @dag(
        dag_id=job.dag_id,
        dag_display_name=job.title,
        description=f"{job.title} into PostgreSQL, from {', '.join(job.sources)}",
        doc_md=doc_md,
        schedule=job.schedule,
        start_date=pendulum.datetime(*START, tz=job.timezone),
        catchup=False,
        max_active_runs=1,
        tags=[str(tag) for tag in job.tags],
        params=_PARAMS,
        default_args={
            "owner": job.owner,
            "retries": job.retries,
            "retry_delay": job.retry_delay,
            "execution_timeout": job.execution_timeout,
        },
    )
    def updater() -> None:
        plan = prepare(job.name)
        report = update(job.name, plan)  # type: ignore[arg-type]  # filled in at run time
        plan >> report >> audit(job.name, report)  # type: ignore[arg-type]  # likewise

    return updater()


@task
def prepare(name: str) -> dict[str, str]:
    """Settle at which instant the run looks at the world, and which session is its newest."""
    from include.insight_invest.runner import session_of

    as_of = as_of_run(get_current_context()["dag_run"])
    with _final_when_wrong():
        task_settings().require(JOBS[name].needs)
        session = session_of(JOBS[name], as_of)
    log.info("%s looks at the world as of %s: the last session is %s", name, as_of.isoformat(), session)
    return {"as_of": as_of.isoformat(), "session": session.isoformat()}


# A backfill has runs of its own beside the Dag's: one at a time has the lease, the others would fail, and try again.
@task(max_active_tis_per_dag=1)
def update(name: str, plan: dict[str, str]) -> dict[str, Any]:
    """Run the updater in this worker; its report, less the tickers, is the task's result."""
    from include.insight_invest.runner import RunOptions, run

    context = get_current_context()
    params = context["params"]
    options = RunOptions(
        as_of=datetime.fromisoformat(plan["as_of"]),
        dry_run=params["dry_run"],
        tickers=tuple(ticker.strip() for ticker in (params["tickers"] or "").split(",") if ticker.strip()),
        start=date.fromisoformat(params["start"]) if params["start"] else None,
        end=date.fromisoformat(params["end"]) if params["end"] else None,
        full_refresh=params["full_refresh"],
        trigger=f"airflow {context['dag_run'].run_id} try {context['ti'].try_number}",
    )
    with _final_when_wrong():
        report = run(JOBS[name], options, task_settings(), on_change=_log_change if options.dry_run else None)
    for note in report.notes:
        log.warning("%s", note)
    if report.exit_code:
        final = report.exit_code == UsageError.exit_code
        raise (AirflowFailException if final else AirflowException)(report.summary())
    return report.model_dump(mode="json", exclude={"problems"})


@task
def audit(name: str, report: dict[str, Any]) -> None:
    """Prove that ledger and data agree and that nothing is missing unrecorded; a dry run has left nothing to prove."""
    from include.insight_invest.runner import audit as prove

    if get_current_context()["params"]["dry_run"]:
        log.info("%s: a dry run, nothing was written", name)
        return
    prove(JOBS[name], task_settings(), report["run_id"])
    log.info("%s: ledger and data agree", name)


def as_of_run(dag_run: Any) -> datetime:
    """The logical date of a scheduled run; a manual one may have none, and looks at the world when it was asked."""
    moment: datetime = dag_run.logical_date or dag_run.run_after
    return moment


def task_settings() -> Any:
    """Settings of a task: the environment, with the database of the Airflow connection."""
    from airflow.sdk import Connection

    from include.insight_invest.settings import load_settings

    try:
        connection = Connection.get(CONNECTION)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"Airflow has no connection {CONNECTION}: it names the updaters' database. Add it (type Postgres), or "
            f"set AIRFLOW_CONN_{CONNECTION.upper()}=postgresql://user:password@host:5432/name"
        ) from None
    if connection.conn_type not in ("postgres", "postgresql"):
        raise ConfigurationError(f"the connection {CONNECTION} is of type {connection.conn_type}, it must be Postgres")
    return load_settings(database_url=connection_url(connection))


@contextmanager
def _final_when_wrong() -> Iterator[None]:
    """Trying again does not mend a wrong call or a missing setting: fail at once, and say what to do."""
    try:
        yield
    except UsageError as error:
        raise AirflowFailException(str(error)) from None


def _log_change(change: object) -> None:
    log.info("%s", change)
