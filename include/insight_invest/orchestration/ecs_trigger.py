"""Watches an ECS task from the triggerer, and stops it when Airflow has given its task instance up.

The provider's own trigger fails on a throttled question, and leaves the ECS task of a task that somebody marked failed
running. The triggerer imports this by its dotted path.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from datetime import datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from include.insight_invest import clock
from include.insight_invest.orchestration.ecs_end import told

log = logging.getLogger(__name__)

RETRIES = {"retries": {"mode": "standard", "max_attempts": 4}}  # of each question; the next question comes anyway
STOP_SECONDS = 20  # the triggerer may be shutting down: it cannot wait for an answer that does not come
UNKNOWN_PATIENCE = 10  # questions: a task that was just started may not be known everywhere yet
_DELETED = "deleted"
_FINISHED = frozenset({"failed", "success", "skipped", "upstream_failed", "removed", _DELETED})
# Trying again does not mend these; anything else may pass.
_REFUSED = frozenset({"AccessDeniedException", "ClusterNotFoundException", "InvalidParameterException"})


class EcsTaskWatch(BaseTrigger):
    """Fires once. The event has ``status`` and ``task_arn``, and

    ``stopped``: ``task``, the described task; ``vanished``: ECS does not know it; ``late``: ``until`` (ISO 8601) has
    come; ``refused``: ECS may not be asked, ``message`` says why. ``delay`` is seconds between two questions.
    """

    def __init__(
        self, *, cluster: str, task_arn: str, until: str, delay: int, log_group: str, log_stream: str, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.cluster = cluster
        self.task_arn = task_arn
        self.until = until
        self.delay = delay
        self.log_group = log_group
        self.log_stream = log_stream
        self._unknown = 0
        self._logs_token: str | None = None
        self._logs_trouble: str | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """As Airflow keeps a trigger: where its class is, and what to call it with."""
        names = ("cluster", "task_arn", "until", "delay", "log_group", "log_stream")
        return f"{__name__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask, forward the log, until the ECS task has stopped or its time is over."""
        try:
            event = await self._watch()
        except asyncio.CancelledError:
            await _undisturbed(self._stop_when_given_up())
            raise
        yield TriggerEvent({**event, "task_arn": self.task_arn})

    async def _watch(self) -> dict[str, Any]:
        from airflow.providers.amazon.aws.hooks.ecs import EcsHook
        from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook

        async with (
            await EcsHook(aws_conn_id=None, config=RETRIES).get_async_conn() as ecs,
            await AwsLogsHook(aws_conn_id=None, config=RETRIES).get_async_conn() as logs,
        ):
            until = datetime.fromisoformat(self.until)
            while True:
                event = await self._ask(ecs)
                await self._forward(logs)
                if event:
                    return event
                if clock.now() >= until:
                    return {"status": "late"}
                await asyncio.sleep(self.delay)

    async def _ask(self, ecs: Any) -> dict[str, Any] | None:
        """The event that ends the watch, or None while there is none."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = await ecs.describe_tasks(cluster=self.cluster, tasks=[self.task_arn])
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in _REFUSED:
                return {"status": "refused", "message": str(error)}
            log.warning("ECS did not say how %s is, asking again in %s s: %s", self.task_arn, self.delay, error)
            return None
        if not answer["tasks"]:
            self._unknown += 1
            return {"status": "vanished"} if self._unknown > UNKNOWN_PATIENCE else None
        self._unknown = 0
        task = answer["tasks"][0]
        return {"status": "stopped", "task": told(task)} if task["lastStatus"] == "STOPPED" else None

    async def _forward(self, logs: Any) -> None:
        """Log what the updater has logged since; a log that cannot be read is no reason to fail."""
        from botocore.exceptions import BotoCoreError, ClientError

        while True:
            since: dict[str, Any] = {"nextToken": self._logs_token} if self._logs_token else {}
            try:
                answer = await logs.get_log_events(
                    logGroupName=self.log_group, logStreamName=self.log_stream, startFromHead=True, **since
                )
            except (ClientError, BotoCoreError) as error:
                if str(error) != self._logs_trouble:
                    log.info("no log in %s of %s yet, going on: %s", self.log_stream, self.log_group, error)
                self._logs_trouble = str(error)
                return
            for line in answer["events"]:
                log.info("%s", line["message"])
            if not answer["events"] or answer["nextForwardToken"] == self._logs_token:
                return
            self._logs_token = answer["nextForwardToken"]

    async def _stop_when_given_up(self) -> None:
        """Stop the ECS task if its task instance is finished: somebody marked it, or deleted its run.

        A cancelled trigger is not told why (3.3.1 has a word for users' actions, and uses it too when another triggerer
        takes over), so the state of the task instance decides. While it is deferred, only this triggerer goes away. In
        any other state it was cleared, and its next try takes the ECS task over, or its time-out is over, and the
        operator stops it. Where the state cannot be learnt, the ECS task goes on.
        """
        try:
            async with asyncio.timeout(STOP_SECONDS):
                state = await self._state()
                if state in _FINISHED:
                    await self._stop(f"Airflow: its task is {state}")
                else:
                    log.info("%s goes on, its task is %s", self.task_arn, state)
        except Exception as error:  # noqa: BLE001 (whatever it is, the cancellation must go through)
            log.warning("%s may still run: %s. Stop it with: aws ecs stop-task", self.task_arn, error)

    async def _state(self) -> str:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
        from asgiref.sync import sync_to_async

        ti = self.task_instance
        if ti is None:
            raise RuntimeError("the trigger has no task instance")
        states = await sync_to_async(RuntimeTaskInstance.get_task_states)(
            dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
        )
        key = ti.task_id if ti.map_index is None or ti.map_index < 0 else f"{ti.task_id}_{ti.map_index}"
        return str(states.get(ti.run_id, {}).get(key, _DELETED) or "cleared")

    async def _stop(self, reason: str) -> None:
        from airflow.providers.amazon.aws.hooks.ecs import EcsHook

        async with await EcsHook(aws_conn_id=None, config=RETRIES).get_async_conn() as ecs:
            await ecs.stop_task(cluster=self.cluster, task=self.task_arn, reason=reason)
        log.info("stopped %s: %s", self.task_arn, reason)


async def _undisturbed(work: Coroutine[Any, Any, None]) -> None:
    """Await ``work`` to its end: the triggerer cancels a trigger again and again, each second, until it is done."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
