"""The Dag that a deploy runs once: whether everything that a run will need is there."""

import logging
from datetime import timedelta

from airflow.sdk import DAG, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.insight_invest.errors import DeploymentError
from include.insight_invest.jobs import JOBS, Tag
from include.insight_invest.orchestration.alerts.deadlines import with_deadlines
from include.insight_invest.orchestration.context import REASON, final_when_wrong, task_settings
from include.insight_invest.orchestration.defaults import TIMEZONE, dag_arguments
from include.insight_invest.settings import Execution

log = logging.getLogger(__name__)

_LATE_AFTER = timedelta(minutes=30)

# Named here, as reading `deployed` loads the store; a test holds the two together.
ANYWHERE = ("database", "secrets")
ON_AWS = ("identity", "cluster", "task_definitions", "images", "log_group", "topic")


def canary_dag(doc_md: str | None) -> DAG:
    """The Dag ``canary``: a task a check, so that what is missing has a name; the container is tried last."""

    @dag(
        dag_id="canary",
        dag_display_name="Canary",
        description="Whether everything that a run needs is there, after a deploy",
        doc_md=doc_md,
        schedule=None,
        params={
            "run_container": Param(
                False, type="boolean", description="Also run `doctor` in the container (ECS: one real task)."
            ),
            "job": Param(next(iter(JOBS)), type="string", enum=list(JOBS), description="As which job's task."),
        },
        **dag_arguments(
            tags=[Tag.CANARY.value], execution_timeout=timedelta(minutes=10), retry_delay=timedelta(seconds=30)
        ),
    )
    def canary() -> None:
        checked = [check.override(task_id=name)(name) for name in (*ANYWHERE, *ON_AWS)]
        checked >> container()

    return with_deadlines(canary(), time_out=_LATE_AFTER, timezone=TIMEZONE)


@task
def check(name: str) -> str:
    """One check: what it found, or a failure that says what is missing. What AWS has is not asked of a laptop."""
    from include.insight_invest import deployed

    with final_when_wrong():
        settings = task_settings()
        if name in ON_AWS and settings.execution is Execution.LOCAL:
            _skip("INSIGHT_EXECUTION is local: there is nothing on AWS to look at")
        try:
            found = deployed.CHECKS[name](settings)
        except DeploymentError as error:
            raise AirflowFailException(str(error)) from None
    log.info("%s", found)
    return found


@task(trigger_rule="none_failed")
def container() -> str:
    """Run the container's ``doctor``, where that is asked for."""
    from include.insight_invest.deployed import run_doctor

    params = get_current_context()["params"]
    with final_when_wrong():
        settings = task_settings()
        if settings.execution is Execution.LOCAL or not params["run_container"]:
            _skip("not asked for (run_container), or nothing on AWS to run")
        try:
            found = run_doctor(settings, JOBS[params["job"]])
        except DeploymentError as error:
            raise AirflowFailException(str(error)) from None
    log.info("%s", found)
    return found


def _skip(reason: str) -> None:
    get_current_context()["ti"].xcom_push(key=REASON, value=reason)
    raise AirflowSkipException(reason)
