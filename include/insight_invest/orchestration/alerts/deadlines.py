"""Deadlines of a Dag: Airflow's DeadlineAlert, whose callback the triggerer runs."""

from datetime import timedelta
from types import MethodType
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from include.insight_invest.orchestration.alerts.callbacks import late
from include.insight_invest.orchestration.alerts.verdict import Deadline


def with_deadlines(
    dag: DAG, *, time_out: timedelta | None = None, due_after: timedelta | None = None, timezone: str
) -> DAG:
    """``dag``, told late ``time_out`` after a run was queued, or ``due_after`` its scheduled instant.

    A run without a logical date has no second deadline. ``timezone`` is the operator's, for the message.
    """
    wanted = (
        (Deadline.TIME_OUT, DeadlineReference.DAGRUN_QUEUED_AT, time_out),
        (Deadline.DUE, DeadlineReference.DAGRUN_LOGICAL_DATE, due_after),
    )
    dag.deadline = [
        DeadlineAlert(
            reference=reference,
            interval=after,
            callback=AsyncCallback(
                late, kwargs={"which": str(which), "after": after.total_seconds(), "timezone": timezone}
            ),
        )
        for which, reference, after in wanted
        if after is not None
    ]
    dag.test = MethodType(_test, dag)  # type: ignore[method-assign]
    return dag


def _test(dag: DAG, *args: Any, **kwargs: Any) -> Any:
    """``airflow dags test`` without deadlines, which nobody would watch.

    Airflow's own looks deadlines up by ids that only a Dag from the metadata database has, and ends with 1 after a run
    that has succeeded (apache/airflow#73428).
    """
    deadline, dag.deadline = dag.deadline, None
    try:
        return DAG.test(dag, *args, **kwargs)
    finally:
        dag.deadline = deadline
