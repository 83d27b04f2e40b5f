"""What the Dags have in common."""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param

from include.insight_invest.jobs import Job
from include.insight_invest.orchestration.alerts.callbacks import failed_run, failed_task, recovered

OWNER = "insight-invest"
TIMEZONE = "Asia/Seoul"  # the operator's: schedules are his
# Long before the calendars begin: a run before this day would have no task, and be green. There is no catching up.
_START = (1970, 1, 2)


def dag_arguments(
    *,
    tags: list[str],
    execution_timeout: timedelta,
    retries: int = 2,
    retry_delay: timedelta = timedelta(minutes=5),
    owner: str = OWNER,
    timezone: str = TIMEZONE,
) -> dict[str, Any]:
    """What every Dag says of itself and of its tasks; a Dag has deadlines by ``alerts.deadlines.with_deadlines``."""
    import pendulum

    return {
        "start_date": pendulum.datetime(*_START, tz=timezone),
        "catchup": False,
        "max_active_runs": 1,
        "tags": tags,
        "on_failure_callback": failed_run,
        "on_success_callback": recovered,
        "default_args": {
            "owner": owner,
            "retries": retries,
            "retry_delay": retry_delay,
            "execution_timeout": execution_timeout,
            "on_failure_callback": failed_task,
        },
    }


def job_arguments(job: Job) -> dict[str, Any]:
    """The same for a job, as the registry has it."""
    return dag_arguments(
        tags=[str(tag) for tag in job.tags],
        retries=job.retries,
        retry_delay=job.retry_delay,
        execution_timeout=job.execution_timeout,
        owner=job.owner,
        timezone=job.timezone,
    )


def run_params(*, dry_run: bool = False) -> dict[str, Param]:
    """What a run can be asked for by hand; ``dry_run`` is what it is without a word."""
    # Airflow's form takes an empty text for a missing one: optional is null.
    return {
        "dry_run": Param(dry_run, type="boolean", description="Fetch, check and log the difference; write nothing."),
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
