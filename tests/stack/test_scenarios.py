"""Whatever happens to Dags on a real Airflow, the database is what the same jobs give when they are run directly."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from include.insight_invest import clock
from include.insight_invest.jobs import JOBS
from tests.backfill.test_equality import LATER, World, daily, evening, world
from tests.fixtures.database import Server
from tests.fixtures.market import Market
from tests.model.world import DAYS
from tests.replay import Replay
from tests.replay.faults import Source
from tests.replay.messages import Answer, Request
from tests.stack.airflow import WAIT_SECONDS, Stack, until
from tests.stack.golden import AT, differences

assert world  # a fixture
pytestmark = pytest.mark.timeout(600)

US, KR, MACRO = (JOBS[name].dag_id for name in ("us-price", "kr-price", "macro"))
DONE = {("prepare", -1): ("success", 1), ("update", 0): ("success", 1), ("audit", -1): ("success", 1)}
# What the events of the assets say: session, rows, pairs of ticker and session that are expected.
UPDATED = {
    "us-price": ("2026-11-19", 10_842, 10_842),
    "kr-price": ("2026-11-19", 140, 140),
    "macro": ("2026-11-19", 8_362, None),
}
# What the other Dags have to be told when they are run by hand, and the jobs' Dags have not.
CONFS: dict[str, dict[str, object]] = {}


@contextmanager
def held(replay: Replay, part: str) -> Iterator[Callable[[], bool]]:
    """Within the block no request with ``part`` in its address is answered; what it gives tells whether one came."""
    came, over = threading.Event(), threading.Event()

    def hold(source: Source, request: Request, answer: Answer) -> Answer:
        if part in request.target:
            came.set()
            over.wait(WAIT_SECONDS)
        return answer

    replay.mutate(hold)
    try:
        yield came.is_set
    finally:
        replay.mutate(None)
        over.set()


def test_every_dag_runs_to_success_when_it_is_triggered(stack: Stack, demo: Market, postgres_server: Server) -> None:
    asked = {name: stack.trigger(job.dag_id, AT) for name, job in JOBS.items()}
    for name, run_id in asked.items():
        dag_id = JOBS[name].dag_id
        stack.finish(dag_id, run_id)
        assert stack.tasks(dag_id, run_id) == DONE
        [event] = stack.events(dag_id, run_id)
        session, rows, expected = UPDATED[name]
        assert event["name"] == JOBS[name].asset
        said = event["extra"]
        assert (said["job"], said["session"], said["rows"]["new"]) == (name, session, rows)
        assert (said["expected"], said["coverage"]) == (expected, 1.0 if expected else None)
    assert differences(postgres_server, demo, [(name, AT) for name in JOBS]) == []
    others = {
        dag_id: stack.trigger(dag_id, AT, **CONFS.get(dag_id, {}))
        for dag_id in sorted(set(stack.dags()) - {US, KR, MACRO})
    }
    for dag_id, run_id in others.items():
        stack.finish(dag_id, run_id)


def test_another_run_changes_nothing(stack: Stack, demo: Market, postgres_server: Server) -> None:
    first, second = stack.trigger(US, AT), stack.trigger(US, AT + timedelta(hours=1))
    stack.finish(US, first)
    stack.finish(US, second)
    assert differences(postgres_server, demo, [("us-price", AT), ("us-price", AT + timedelta(hours=1))]) == []


@pytest.mark.parametrize("victim", ["task", "worker"])
def test_a_run_goes_on_where_its_process_was_killed(
    stack: Stack, demo: Market, postgres_server: Server, victim: str
) -> None:
    """``task`` is the process that runs the updater, ``worker`` its parent, which tells Airflow how it ends."""
    at = AT if victim == "task" else AT + timedelta(hours=1)
    with held(demo.replay, "series_id=GDPC1") as came:
        run_id = stack.trigger(MACRO, at)
        until(came, "the middle of the update")
        process = updater_process(stack, demo)
        killed = process if victim == "task" else process.parent()
        assert killed is not None
        killed.send_signal(signal.SIGKILL)
        killed.wait(WAIT_SECONDS) if victim == "task" else None
    stack.finish(MACRO, run_id)
    tasks = stack.tasks(MACRO, run_id)
    assert {task: state for task, (state, _) in tasks.items()} == dict.fromkeys(DONE, "success")
    assert tasks["update", 0][1] == 2
    statuses = [row["status"] for row in demo.ledger()]
    assert (statuses[0], statuses[-1]) == ("lost" if victim == "task" else statuses[0], "succeeded")
    assert differences(postgres_server, demo, [("macro", at)]) == []


def updater_process(stack: Stack, market: Market) -> psutil.Process:
    """The process that a connection of an updater to the database comes from."""
    [(port,)] = market.rows("select client_port from pg_stat_activity where application_name = 'insight-invest macro'")
    [found] = [
        process
        for process in stack.processes()
        if any(connection.laddr.port == port for connection in process.net_connections("tcp"))
    ]
    return found


def test_a_cleared_old_run_looks_at_the_world_of_its_own_day(
    stack: Stack, demo: Market, postgres_server: Server
) -> None:
    next_day = AT + timedelta(days=1)
    old = stack.trigger(US, AT + timedelta(hours=2))
    stack.finish(US, old)
    demo.replay.move_clock(next_day)
    stack.finish(US, stack.trigger(US, next_day))
    before = demo.dump("tb_job_run")
    stack.clear(US, old)
    stack.finish(US, old)
    assert {number for _, number in stack.tasks(US, old).values()} == {2}
    assert demo.dump("tb_job_run") == before
    assert [row["session_date"] for row in demo.ledger()] == ["2026-11-19", "2026-11-20", "2026-11-19"]
    assert differences(postgres_server, demo, [("us-price", AT + timedelta(hours=2)), ("us-price", next_day)]) == []


def test_airflow_backfill_gives_what_the_daily_runs_gave(stack: Stack, world: Callable[[], World]) -> None:
    """Over three sessions, on the second of them a split."""
    sessions = DAYS[2:5]
    at_the_time = world()
    daily(at_the_time, "us-price", sessions)
    expected = at_the_time.found()
    afterwards = world()
    afterwards.answer(LATER)
    dates = [evening("us-price", day) for day in sessions]
    arguments = ("--from-date", dates[0].isoformat(), "--to-date", dates[-1].isoformat())
    stack.command("backfill", "create", "--dag-id", US, *arguments)
    runs = [run for run in stack.runs(US) if run["run_type"] == "backfill"]
    assert [datetime.fromisoformat(run["logical_date"]) for run in runs] == dates
    for run in runs:
        stack.finish(US, run["dag_run_id"])
    assert afterwards.found() == expected
    afterwards.market.audit()


class TestSchedules:
    """Dags that follow their schedules from now on, in the world of the present."""

    @pytest.fixture(scope="class", autouse=True)
    def scheduled(self, stack: Stack) -> Iterator[None]:
        with stack.schedules():
            yield

    def test_a_dag_that_was_paused_runs_its_last_tick_once(
        self, stack: Stack, demo: Market, postgres_server: Server
    ) -> None:
        demo.replay.move_clock(clock.now())
        stack.pause(KR, paused=False)
        [run] = scheduled_runs(stack, KR)
        stack.finish(KR, run["dag_run_id"])
        tick = datetime.fromisoformat(run["logical_date"])
        assert (tick.astimezone(UTC).hour, clock.now() - tick < timedelta(days=4)) == (21, True)
        assert datetime.fromisoformat(stack.dag(KR)["next_dagrun_run_after"]) > clock.now()
        assert len(scheduled_runs(stack, KR)) == 1
        assert differences(postgres_server, demo, [("kr-price", tick)]) == []

    def test_a_manual_run_waits_for_the_scheduled_one(
        self, stack: Stack, demo: Market, postgres_server: Server
    ) -> None:
        demo.replay.move_clock(clock.now())
        with held(demo.replay, "/chart/IBM") as came:
            stack.pause(US, paused=False)
            until(came, "the middle of the scheduled run")
            manual = stack.trigger(US, None)
            [scheduled] = scheduled_runs(stack, US)
            assert stack.run(US, scheduled["dag_run_id"])["state"] == "running"
            assert stack.run(US, manual)["state"] == "queued"
        first = stack.finish(US, scheduled["dag_run_id"])
        second = stack.finish(US, manual)
        assert second["start_date"] >= first["end_date"]
        runs = [datetime.fromisoformat(first["logical_date"]), datetime.fromisoformat(second["run_after"])]
        assert [datetime.fromisoformat(row["as_of"]) for row in demo.ledger()] == runs
        assert demo.ledger()[1]["rows_new"] == 0
        assert differences(postgres_server, demo, [("us-price", at) for at in runs]) == []


def scheduled_runs(stack: Stack, dag_id: str) -> list[dict[str, str]]:
    """The runs that Airflow made by itself; there is one, sooner or later."""

    def found() -> list[dict[str, str]]:
        return [run for run in stack.runs(dag_id) if run["run_type"] == "scheduled"]

    until(found, f"a scheduled run of {dag_id}")
    return found()
