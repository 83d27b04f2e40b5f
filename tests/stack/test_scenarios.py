"""Whatever happens to Dags on a real Airflow, the database is what the same jobs give when they are run directly."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil  # type: ignore[import-untyped]
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
from tests.stack.golden import AT, SERIES, differences

assert world  # a fixture
pytestmark = pytest.mark.timeout(600)

US, KR, MACRO = (JOBS[name].dag_id for name in ("us-price", "kr-price", "macro"))
DONE = {("prepare", -1): ("success", 1), ("update", 0): ("success", 1), ("audit", -1): ("success", 1)}
# What the events of the assets say: session, rows, pairs of ticker and session that are expected.
UPDATED = {
    "us-price": ("2026-11-19", 10_842, 10_842),
    "kr-price": ("2026-11-19", 140, 140),
    "macro": ("2026-11-19", 3_771, None),
}
# With what Dags are triggered that are not a job's own. One that is not named here is triggered with nothing.
CONFS: dict[str, dict[str, object]] = {
    "backfill": {"job": "us-price", "start": "2026-11-16", "end": "2026-11-19"},
}


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

    before = demo.dump()
    others = sorted(set(stack.dags()) - {US, KR, MACRO})
    started = {dag_id: stack.trigger(dag_id, AT, **CONFS.get(dag_id, {})) for dag_id in others}
    for dag_id, run_id in started.items():
        stack.finish(dag_id, run_id)
    after = demo.dump()
    assert [name for name in ("tb_bar", "tb_action", "tb_macro_vintage") if after[name] != before[name]] == []


@pytest.mark.parametrize(("victim", "ended"), [("task", "lost"), ("worker", "succeeded")])
def test_a_run_goes_on_where_its_process_was_killed(
    stack: Stack, demo: Market, postgres_server: Server, victim: str, ended: str
) -> None:
    """``task`` runs the updater: the retry asks for what it has not landed. ``worker`` is its parent, which would have
    told Airflow how it ends: the updater survives it and is done, but nobody knows, and the retry finds nothing new."""
    with held(demo.replay, f"series_id={SERIES[3]}") as came:
        run_id = stack.trigger(MACRO, AT)
        until(came, "the middle of the update")
        [before] = demo.ledger()
        process = updater_process(demo)
        killed = process if victim == "task" else process.parent()
        assert killed is not None
        killed.kill()
        until(lambda: not killed.is_running() or killed.status() == psutil.STATUS_ZOMBIE, "its end")
    stack.finish(MACRO, run_id)
    assert (before["status"], before["rows_new"] > 0) == ("running", True)
    tasks = stack.tasks(MACRO, run_id)
    assert {task: state for task, (state, _) in tasks.items()} == dict.fromkeys(DONE, "success")
    assert (tasks["update", 0][1], tasks["prepare", -1][1]) == (2, 1)
    assert [row["status"] for row in demo.ledger()] == [ended, "succeeded"]
    assert demo.rows("select kind, message from tb_incident") == []  # what a retry mends, nobody is told
    assert differences(postgres_server, demo, [("macro", AT)]) == []


def updater_process(market: Market) -> psutil.Process:
    """The process that a connection of an updater to the database comes from."""
    [(port,)] = market.rows("select client_port from pg_stat_activity where application_name = 'insight-invest macro'")
    [found] = [
        process
        for process in psutil.Process().children(recursive=True)
        if any(connection.laddr.port == port for connection in process.net_connections("tcp"))
    ]
    return found


def test_a_cleared_old_run_looks_at_the_world_of_its_own_day(
    stack: Stack, demo: Market, postgres_server: Server
) -> None:
    next_day = AT + timedelta(days=1)
    old = stack.trigger(US, AT)
    stack.finish(US, old)
    demo.replay.move_clock(next_day)
    stack.finish(US, stack.trigger(US, next_day))
    before = demo.dump("tb_job_run")
    stack.clear(US, old)
    stack.finish(US, old)
    assert {number for _, number in stack.tasks(US, old).values()} == {2}
    stack.clear(US, old, "audit")  # what its update has done before stays its own
    stack.finish(US, old)
    assert sorted(number for _, number in stack.tasks(US, old).values()) == [2, 2, 3]
    assert demo.dump("tb_job_run") == before
    assert [row["session_date"] for row in demo.ledger()] == ["2026-11-19", "2026-11-20", "2026-11-19"]
    assert differences(postgres_server, demo, [("us-price", AT), ("us-price", next_day)]) == []


def test_airflow_backfill_gives_what_the_daily_runs_gave(stack: Stack, world: Callable[[], World]) -> None:
    """Over three sessions, on the last of them a split."""
    sessions = DAYS[1:4]
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


@pytest.fixture(scope="class")
def scheduled(stack: Stack) -> Iterator[None]:
    with stack.schedules():
        yield


@pytest.mark.usefixtures("scheduled")
class TestSchedules:
    """Dags that follow their schedules from now on, in the world of the present."""

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
        stack.pause(KR, paused=True)  # its run is deleted after the test, and would come again

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
        assert demo.rows("select count(*) from tb_bar") == [(sum(row["rows_new"] for row in demo.ledger()),)]
        assert differences(postgres_server, demo, [("us-price", at) for at in runs]) == []


def scheduled_runs(stack: Stack, dag_id: str) -> list[dict[str, str]]:
    """The runs that Airflow made by itself; there is one, sooner or later."""

    def found() -> list[dict[str, str]]:
        return [run for run in stack.runs(dag_id) if run["run_type"] == "scheduled"]

    until(found, f"a scheduled run of {dag_id}")
    return found()
