"""What a task knows of its run: the instant at which it looks at the world, its settings, its name in the ledger.

Everything heavy is imported inside the functions: Dag files import this.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from include.insight_invest.errors import ConfigurationError, UsageError
from include.insight_invest.orchestration.database import CONNECTION, connection_url

# The updater of a worker that was lost may live on for a while, and another Dag may be at the same job.
LEASE_WAIT_SECONDS = 600
FRED_CONNECTION = "insight_fred"
REASON = "reason"  # the key under which a task leaves why there is nothing to do


def as_of_run(dag_run: Any) -> datetime:
    """The logical date of a scheduled run; a manual one may have none, and looks at the world when it was asked."""
    moment: datetime = dag_run.logical_date or dag_run.run_after
    return moment


def trigger_of(run_id: str) -> str:
    """By this the ledger's rows of a Dag run are found again, whoever wrote them."""
    return f"airflow {run_id}"


def task_settings() -> Any:
    """Settings of a task: the environment, with the database of the Airflow connection ``insight_invest``.

    FRED's key is the password of the connection ``insight_fred`` where there is one.
    """
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
    settings = load_settings(database_url=connection_url(connection))
    if settings.fred_api_key is None and (key := _fred_key()):
        return load_settings(database_url=connection_url(connection), fred_api_key=key)
    return settings


def _fred_key() -> str | None:
    from airflow.sdk import Connection

    try:
        key: str | None = Connection.get(FRED_CONNECTION).password
    except AirflowNotFoundException:
        return None
    return key


@contextmanager
def final_when_wrong() -> Iterator[None]:
    """Trying again does not mend a wrong call or a missing setting: fail at once, and say what to do."""
    try:
        yield
    except UsageError as error:
        raise AirflowFailException(str(error)) from None
