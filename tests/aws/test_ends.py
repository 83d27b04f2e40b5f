"""What becomes of `update` when its ECS task ends in each way: the real operator, real processes, real Airflow."""

import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.listeners import hookimpl

from include.insight_invest.jobs import JOBS
from include.insight_invest.orchestration import ecs_trigger
from tests.aws.conftest import Cluster, until
from tests.aws.fargate import SPOT

pytestmark = pytest.mark.usefixtures("airflow_database", "kept_logging")

AS_OF = datetime(2026, 1, 8, 12, tzinfo=UTC)
SHARD = {
    "job": "us-price",
    "label": "2026-01-07 · 2 tickers",
    "shard": [1, 1],
    "as_of": AS_OF.isoformat(),
    "session": "2026-01-07",
}
REPORT = '{"job": "us-price", "status": "succeeded", "exit_code": 0, "run_id": 7, "notes": [], "problems": []}'
WAITS = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)); print('at work')\n"
WAITS += "time.sleep(120)"


class Raised:
    """What tasks have raised; a callback of `dag.test` is not told that on 3.2.1, a listener is."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    @hookimpl
    def on_task_instance_failed(self, error: BaseException) -> None:
        self.errors.append(error)


class Ran:
    """A run of `update` alone: its state, its tries, what the last try raised, its result."""

    def __init__(
        self,
        *,
        retries: int = 0,
        conf: dict[str, Any] | None = None,
        time_out: timedelta = timedelta(minutes=30),
        job: str = "us-price",
    ) -> None:
        from airflow.sdk import DAG
        from airflow.sdk.listener import get_listener_manager

        from include.insight_invest.orchestration.defaults import run_params
        from include.insight_invest.orchestration.ecs import update_on_ecs

        raised = Raised()
        arguments = {"retries": retries, "retry_delay": timedelta(0)}
        # a Dag of this name is known to the database: `test` wants one that is
        with DAG(JOBS["us-price"].dag_id, schedule=None, params=run_params(), default_args=arguments) as dag:
            update_on_ecs(pool="yahoo", time_out=time_out).expand(shard=[{**SHARD, "job": job}])
        get_listener_manager().add_listener(raised)
        try:
            run = dag.test(logical_date=AS_OF, run_conf=conf or {})
        finally:
            get_listener_manager().pm.unregister(raised)
        [ti] = run.get_task_instances()
        self.run_id = run.run_id
        self.state, self.tries, self.label = ti.state, ti.try_number, ti.rendered_map_index
        self.error = raised.errors[-1] if raised.errors else None
        self.told = str(self.error)
        self.result = ti.xcom_pull(task_ids="update", map_indexes=0)
        self.arn = ti.xcom_pull(task_ids="update", map_indexes=0, key="ecs_task_arn")


def test_success_gives_the_report_and_the_arn(cluster: Cluster) -> None:
    cluster.program(f"import sys; print('loading'); print({REPORT!r}); print(sys.argv[1:], file=sys.stderr)")
    ran = Ran(conf={"tickers": "ACME, BOLT", "start": "2026-01-05", "dry_run": True})
    [task] = cluster.fargate.tasks
    assert (ran.state, ran.tries, ran.label) == ("success", 1, SHARD["label"])
    assert ran.result == {"job": "us-price", "status": "succeeded", "exit_code": 0, "run_id": 7, "notes": []}
    assert ran.arn == task.task_arn
    assert task.overrides["containerOverrides"] == [
        {
            "name": "updater",
            "command": [
                *("--job", "us-price", "--as-of", "2026-01-08T12:00:00+00:00", "--shard", "1/1"),
                *(
                    "--trigger",
                    f"airflow {ran.run_id}",
                    "--wait",
                    "600",
                    "--tickers",
                    "ACME, BOLT",
                    "--start",
                    "2026-01-05",
                ),
                *("--dry-run", "--json"),
            ],
        }
    ]
    assert cluster.log(f"updater/updater/{task.id}")[0] == "loading"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "the updater failed (exit code 1). What it had committed stays; the next try goes on from there"),
        (3, "more tickers failed than the budget allows (exit code 3). What was loaded stays"),
        (75, "another run of this job is at work (exit code 75). Nothing was started"),
        (143, "the updater was stopped by SIGTERM (exit code 143; Essential container in task exited)"),
    ],
)
def test_an_exit_code_is_told_in_words_and_tried_again_on_demand(cluster: Cluster, code: int, words: str) -> None:
    cluster.program(f"print('BOLT: 404'); raise SystemExit({code})")
    ran = Ran(retries=1)
    assert (ran.state, ran.tries) == ("failed", 2)
    assert words in ran.told
    assert ran.told.startswith("us-price, 2026-01-07 · 2 tickers: ")
    stream = f"updater/updater/{cluster.fargate.tasks[1].id}"
    assert f"ECS task {ran.arn}, log {stream} of {cluster.log_group}; its last lines:\n  BOLT: 404" in ran.told
    assert [providers[0]["capacityProvider"] for providers in cluster.fargate.strategies] == ["FARGATE_SPOT", "FARGATE"]


def test_a_configuration_error_is_not_tried_again_and_the_updaters_own_words_are_told(cluster: Cluster) -> None:
    report = REPORT.replace("[]}", '[], "error": "missing environment: FRED_API_KEY"}')
    cluster.program(f"print({report!r}); raise SystemExit(2)")
    ran = Ran(retries=2)
    assert (ran.state, ran.tries) == ("failed", 1)
    assert type(ran.error).__name__ == "AirflowFailException"
    assert "It says: missing environment: FRED_API_KEY" in ran.told


def test_a_process_that_needs_more_than_its_memory_is_told_as_out_of_memory(cluster: Cluster) -> None:
    cluster.program("print('reading'); kept = [bytearray(b'x') * 2**24 for _ in range(60)]; print('read')")
    ran = Ran()
    [task] = cluster.fargate.tasks
    assert task.containers[0].exitCode == 137
    assert cluster.log(f"updater/updater/{task.id}") == ["reading"]
    assert "the updater needed more than its 512 MB and was killed (OutOfMemoryError" in ran.told
    assert "Give the job more memory_mb in jobs.py" in ran.told


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("CannotPullContainerError: manifest unknown", "Look whether the image's tag exists"),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth",
            "Look whether the secrets exist",
        ),
    ],
)
def test_a_task_that_failed_to_start_says_so(cluster: Cluster, reason: str, advice: str) -> None:
    cluster.program("print('never')")
    cluster.fargate.no_start = reason
    told = Ran().told
    assert f"the ECS task failed to start ({reason}). Nothing ran, nothing was changed. {advice}" in told
    assert "its last lines: there are none" in told


def test_a_family_that_is_not_there_is_not_tried_again(cluster: Cluster) -> None:
    ran = Ran(retries=2, job="macro")
    assert (ran.state, ran.tries) == ("failed", 1)
    assert "ECS did not start insight-invest-macro" in ran.told
    assert "Nothing ran, nothing was changed. Mend the deployment" in ran.told


def test_a_spot_interruption_is_named_and_the_next_try_is_on_demand(cluster: Cluster) -> None:
    cluster.program(WAITS)
    interrupted = threading.Thread(target=_interrupt, args=[cluster])
    interrupted.start()
    ran = Ran()
    interrupted.join()
    assert cluster.fargate.tasks[0].containers[0].exitCode == 143
    assert f"AWS took the Spot capacity back ({SPOT}). What it had committed stays; the next try goes on" in ran.told


def _interrupt(cluster: Cluster) -> None:
    while not (running := cluster.fargate.running()) or not cluster.log(f"updater/updater/{running[0].id}"):
        time.sleep(0.1)
    cluster.fargate.interrupt()


def test_what_is_not_done_in_time_is_stopped(cluster: Cluster) -> None:
    cluster.program(WAITS)
    ran = Ran(time_out=timedelta(seconds=3))
    [task] = cluster.fargate.tasks
    assert "the updater was not done within 0:00:03. It was stopped; what it had committed stays" in ran.told
    until(lambda: task.last_status == "STOPPED")
    assert (task.stop_code, task.containers[0].exitCode) == ("UserInitiated", 143)


def test_throttled_questions_and_a_log_that_is_not_there_are_survived(cluster: Cluster) -> None:
    cluster.program("import time; time.sleep(2)")
    cluster.fargate.throttled = 7
    cluster.fargate.no_logs = True
    ran = Ran()
    assert (ran.state, ran.result, cluster.fargate.throttled) == ("success", None, 0)


def test_a_task_that_may_not_be_watched_is_stopped_and_not_started_again(cluster: Cluster) -> None:
    cluster.program(WAITS)
    cluster.fargate.denied = True
    ran = Ran(retries=2)
    assert (ran.state, len(cluster.fargate.tasks)) == ("failed", 1)
    assert "ECS does not let its task be watched" in ran.told
    until(lambda: cluster.fargate.tasks[0].last_status == "STOPPED")


def test_a_try_reattaches_to_what_an_earlier_one_has_left_running(cluster: Cluster) -> None:
    cluster.program(f"import time; time.sleep(4); print({REPORT!r})")
    cluster.fargate.lost = "running"
    ran = Ran(retries=1)
    assert (ran.state, ran.tries, len(cluster.fargate.tasks)) == ("success", 2, 1)


def test_a_task_that_ecs_has_forgotten_is_told_as_unknown(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecs_trigger, "UNKNOWN_PATIENCE", 1)
    cluster.program("print('done')")
    cluster.fargate.forgetful = True
    ran = Ran()
    assert (ran.state, len(cluster.fargate.tasks)) == ("failed", 1)
    assert "ECS knows nothing of this task any more, it stopped more than an hour ago" in ran.told


def test_a_task_whose_trigger_was_lost_is_stopped(cluster: Cluster) -> None:
    """What the scheduler resumes a task with whose deferral has timed out."""
    from airflow.sdk import DAG
    from airflow.sdk.exceptions import AirflowException

    from include.insight_invest.orchestration.ecs import update_on_ecs

    cluster.program(WAITS)
    task = cluster.start([])
    until(lambda: "at work" in cluster.log(f"updater/updater/{task.id}") if cluster.fargate.running() else False)
    with DAG("lost", schedule=None):
        operator = (
            update_on_ecs(pool="yahoo", time_out=timedelta(minutes=30)).expand(shard=[SHARD]).unmap({"shard": SHARD})
        )
    ti = SimpleNamespace(map_index=0, xcom_pull=lambda **_: task.task_arn)
    with pytest.raises(AirflowException, match=r"the triggerer lost the ECS task \(Trigger timeout\)\. It was stopped"):
        operator.resume_execution("__fail__", {"error": "Trigger timeout"}, {"ti": ti})
    until(lambda: task.last_status == "STOPPED")
    assert task.stopped_reason == "Airflow: its trigger failed"
