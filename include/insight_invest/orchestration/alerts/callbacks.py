"""What Airflow calls. The first three run in a worker or in the dag processor, ``late`` in the triggerer.

Airflow calls ``failed_task`` in the worker, with the exception; in the dag processor, without one, where the worker was
lost; and not at all where the task's process died under its supervisor (out of memory): ``failed_run`` tells that.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from include.insight_invest.limits import Limits
from include.insight_invest.orchestration.alerts.message import Kind
from include.insight_invest.orchestration.alerts.verdict import Deadline, verdict

log = logging.getLogger(__name__)

_PARTIAL = ("dry_run", "tickers", "start", "end")  # params of a run that is not the whole of its job


def failed_task(context: Mapping[str, Any]) -> None:
    """A task has failed for good (``on_failure_callback`` of tasks)."""
    ti = context["ti"]
    error = context.get("exception")
    if error is None and ti.try_number <= ti.max_tries:
        # Airflow calls this for every worker that was lost, also where the task is going to be tried again.
        log.info("%s: the worker of try %s of %s was lost: it is tried again", ti.dag_id, ti.try_number, ti.task_id)
        return
    name = ti.task_id if ti.map_index in (None, -1) else f"{ti.task_id} [{ti.map_index}]"
    why = f"{type(error).__name__}: {error}" if error else "without a word: its process was killed, or lost"
    _tell_failure(context, f"Task {name} failed, try {ti.try_number}: {why}", ti.task_id)


def failed_run(context: Mapping[str, Any]) -> None:
    """A run has failed (``on_failure_callback`` of Dags); silent where one of its tasks has told it."""
    ti = context.get("ti")
    last = f"; the last task to fail is {ti.task_id}, which may have been killed (out of memory?)" if ti else ""
    _tell_failure(context, f"The run failed ({context.get('reason')}){last}.")


def recovered(context: Mapping[str, Any]) -> None:
    """A run has succeeded (``on_success_callback`` of Dags): what was open before it is over.

    As runs of some Dag succeed every day, this is also when others' messages that no channel took are told.
    """
    from include.insight_invest.orchestration.alerts.reach import reach
    from include.insight_invest.orchestration.alerts.telling import tell_recovery, tell_untold

    dag_run, told = context.get("dag_run"), reach()
    whole = dag_run is not None and _is_whole(context["dag"].dag_id, context.get("params", {}))
    opened_before = dag_run.run_after if dag_run is not None and whole else None
    tell_recovery(_happening(context, "The run succeeded."), told, opened_before)
    tell_untold(told)


def _is_whole(dag_id: str, params: Mapping[str, Any]) -> bool:
    """Whether a run with ``params`` stands for its Dag. (The Dag's own params have become the run's by now.)"""
    if dag_id == "backfill":
        return not params.get("dry_run")  # always a part: the next one is what was mended
    usual = all(params.get(name, limit) == limit for name, limit in vars(Limits()).items())
    return usual and not any(params.get(name) for name in _PARTIAL)


async def late(*, which: str, after: float, timezone: str, context: Mapping[str, Any]) -> None:
    """A deadline has passed: ``which``, ``after`` seconds. ``context`` is what the scheduler knew when it noticed."""
    from asgiref.sync import sync_to_async

    from include.insight_invest.orchestration.alerts.reach import reach_from_triggerer

    dag_run, passed_at = context["dag_run"], context["deadline"]["deadline_time"]
    if isinstance(passed_at, str):
        passed_at = datetime.fromisoformat(passed_at)
    judged = verdict(Deadline(which), timedelta(seconds=after), passed_at, timezone, dag_run)
    dag_id, run_id = dag_run["dag_id"], dag_run["dag_run_id"]
    log.info("%s %s: the deadline %s has passed: %s", dag_id, run_id, which, judged.what)
    if judged.kind is None:
        return
    # A thread of its own: imports, databases and channels would hold up the triggerer, which has others to serve.
    # Connections are asked for before: that conversation is the event loop's.
    await sync_to_async(_tell_late, thread_sensitive=False)(
        judged.kind, dag_id, run_id, judged.what, await reach_from_triggerer()
    )


def _tell_late(kind: Kind, dag_id: str, run_id: str, what: str, reach: Any) -> None:
    from include.insight_invest.orchestration.alerts.telling import Happening, tell

    tell(kind, Happening(dag_id=dag_id, run_id=run_id, what=what, log_url=_run_url(dag_id, run_id)), reach)


def _tell_failure(context: Mapping[str, Any], what: str, task_id: str | None = None) -> None:
    from include.insight_invest.orchestration.alerts.reach import reach
    from include.insight_invest.orchestration.alerts.telling import tell

    tell(Kind.FAILED, _happening(context, what, task_id), reach())


def _happening(context: Mapping[str, Any], what: str, task_id: str | None = None) -> Any:
    from include.insight_invest.orchestration.alerts.telling import Happening

    ti, dag_id, run_id = context.get("ti"), context["dag"].dag_id, context["run_id"]
    dag_run = context.get("dag_run")
    return Happening(
        dag_id=dag_id,
        run_id=run_id,
        what=what,
        log_url=ti.log_url if ti else _run_url(dag_id, run_id),
        task_id=task_id,
        started_at=dag_run.start_date if dag_run else None,
    )


def _run_url(dag_id: str, run_id: str) -> str:
    from airflow.sdk.configuration import conf

    base = conf.get("api", "base_url", fallback="http://localhost:8080/")
    return f"{base.rstrip('/')}/dags/{dag_id}/runs/{quote(run_id)}"
