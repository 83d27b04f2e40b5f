"""Airflow's operator for ECS, taught what an updater is: its command, its capacity, its ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NoReturn

from airflow.providers.amazon.aws.exceptions import EcsOperatorError
from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferralError, TaskDeferralTimeout
from botocore.exceptions import BotoCoreError, ClientError

from include.insight_invest import clock
from include.insight_invest.jobs import JOBS
from include.insight_invest.orchestration.context import LEASE_WAIT_SECONDS, trigger_of
from include.insight_invest.orchestration.ecs_end import End, EndKind, judge, report_in, vanished

LAST_LINES = 20
# The first try is on Spot, at a third of the price. Whatever became of it (an interruption, no capacity, a fault of the
# updater), each later try is on demand: one task is the whole base, so that Spot never has it twice.
_SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
_ON_DEMAND = [
    {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
    {"capacityProvider": "FARGATE_SPOT", "weight": 1},
]
# What ECS says of a request that will not be right the next time either.
_WRONG = frozenset({"AccessDeniedException", "ClusterNotFoundException", "InvalidParameterException"})


class UpdateOnEcs(EcsRunTaskOperator):
    """Runs the updater of one ``shard`` (as ``prepare`` returns it) of a job; its result is the updater's report."""

    template_fields = (*(name for name in EcsRunTaskOperator.template_fields if name != "overrides"), "shard")

    def __init__(self, *, shard: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(overrides={}, **kwargs)
        self.shard = shard

    def execute(self, context: Any) -> None:
        """Start the ECS task, or find the one that an earlier try has left running, and defer."""
        command = command_of(self.shard, context["params"], trigger_of(context["dag_run"].run_id))
        self.overrides = {"containerOverrides": [{"name": self.container_name, "command": command}]}
        self.capacity_provider_strategy = _SPOT if context["ti"].try_number == 1 else _ON_DEMAND
        with _named(self.task_definition):
            super().execute(context)  # type: ignore[no-untyped-call]

    def defer(self, *, trigger: Any, method_name: str, kwargs: Any = None, timeout: Any = None) -> NoReturn:  # noqa: ARG002
        """Defer as the provider does, but to the trigger that survives throttling and stops what is given up."""
        from include.insight_invest.orchestration.ecs_trigger import EcsTaskWatch

        until = clock.now() + timedelta(seconds=self.waiter_delay * self.waiter_max_attempts)
        watch = EcsTaskWatch(
            cluster=self.cluster,
            task_arn=self.arn or "",
            until=until.isoformat(),
            delay=self.waiter_delay,
            log_group=self.awslogs_group or "",
            log_stream=self._get_logs_stream_name(),
        )
        super().defer(trigger=watch, method_name=method_name, kwargs=kwargs, timeout=timeout)

    def execute_complete(self, context: Any, event: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """Return the updater's report, or raise what became of it."""
        assert event is not None  # noqa: S101 (the trigger always has one)
        self.arn = event["task_arn"]
        end = self._end(event)
        lines = self._last_lines()
        report = report_in(lines)
        if end.kind is EndKind.SUCCEEDED:
            for note in (report or {}).get("notes", []):
                self.log.warning("%s", note)
            return report
        raise (AirflowFailException if end.final else AirflowException)(self._told(end.sentence, report, lines))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """Also where the trigger died, or was never let run: then nobody watches the ECS task, and it is stopped."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except (TaskDeferralError, TaskDeferralTimeout) as error:
            ti = context["ti"]
            self.arn = ti.xcom_pull(task_ids=self.task_id, key="ecs_task_arn", map_indexes=ti.map_index)
            sentence = f"the triggerer lost the ECS task ({error}). {self._stop('Airflow: its trigger failed')}"
            raise AirflowException(self._told(sentence, None, self._last_lines())) from error

    def _end(self, event: dict[str, Any]) -> End:
        if event["status"] == "stopped":
            memory = JOBS[self.shard["job"]].memory_mb
            return judge(event["task"], container=self.container_name or "", memory_mb=memory)
        if event["status"] == "vanished":
            return vanished()
        if event["status"] == "late":
            allowed = timedelta(seconds=self.waiter_delay * self.waiter_max_attempts)
            stopped = self._stop(f"Airflow: not done within {allowed}")
            return End(kind=EndKind.STOPPED, sentence=f"the updater was not done within {allowed}. {stopped}")
        stopped = self._stop("Airflow: it may not be watched")
        sentence = f"ECS does not let its task be watched ({event['message']}). {stopped}. Mend the worker's role"
        return End(kind=EndKind.UNKNOWN, sentence=sentence, final=True)

    def _stop(self, reason: str) -> str:
        """Stop the ECS task; a sentence that says whether it could be done."""
        try:
            self.client.stop_task(cluster=self.cluster, task=self.arn, reason=reason)
        except (ClientError, BotoCoreError) as error:
            return f"It could not be stopped ({error}) and may still run: the next try finds it, or its lease"
        return "It was stopped; what it had committed stays, and the next try goes on from there"

    def _last_lines(self) -> list[str]:
        """The end of the updater's log, or nothing where it has none."""
        try:
            logs = AwsLogsHook(aws_conn_id=self.aws_conn_id, region_name=self.awslogs_region).conn
            answer = logs.get_log_events(
                logGroupName=self.awslogs_group,
                logStreamName=self._get_logs_stream_name(),
                startFromHead=False,
                limit=LAST_LINES,
            )
        except (ClientError, BotoCoreError) as error:
            self.log.info("no log of %s: %s", self.arn, error)
            return []
        return [event["message"] for event in answer["events"]]

    def _told(self, sentence: str, report: dict[str, Any] | None, lines: list[str]) -> str:
        said = f" It says: {report['error']}" if report and report.get("error") else ""
        shown = [line for line in lines if not line.startswith("{")]
        tail = "".join(f"\n  {line}" for line in shown[-LAST_LINES:]) or " there are none"
        where = f"{self.arn}, log {self._get_logs_stream_name()} of {self.awslogs_group}"
        return f"{self.shard['job']}, {self.shard['label']}: {sentence}.{said}\nECS task {where}; its last lines:{tail}"


def command_of(shard: dict[str, Any], params: Any, trigger: str) -> list[str]:
    """What the container is told, after its entry point ``run_scheduled_job.py``."""
    index, total = shard["shard"]
    command = ["--job", shard["job"], "--as-of", shard["as_of"], "--shard", f"{index}/{total}", "--trigger", trigger]
    command += ["--wait", str(LEASE_WAIT_SECONDS)]
    for name in ("tickers", "start", "end"):
        if params[name]:
            command += [f"--{name}", str(params[name])]
    for name in ("dry_run", "full_refresh"):
        if params[name]:
            command.append(f"--{name.replace('_', '-')}")
    return [*command, "--json"]


@contextmanager
def _named(family: str) -> Iterator[None]:
    """What ECS refuses, in a sentence; what will be refused again is not tried again."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        final = code in _WRONG or "task definition" in str(error).lower()
        advice = "Mend the deployment (`canary` says what is missing)" if final else "The next try is on demand"
        kind = AirflowFailException if final else AirflowException
        raise kind(f"ECS did not start {family} ({error}). Nothing ran, nothing was changed. {advice}") from error
    except EcsOperatorError as error:
        reasons = ", ".join(f"{one.get('reason')} {one.get('detail', '')}".strip() for one in error.failures)
        raise AirflowException(
            f"ECS had no place for {family} ({reasons}). Nothing ran, nothing was changed. The next try is on demand"
        ) from error
