"""Runs of one job at once, as processes: one works, the others are refused or wait, and nothing is done twice."""

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from include.insight_invest.store.database import connect
from tests.chaos.dump import look
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.chaos.stage import Stage, until
from tests.chaos.victims import Victim
from tests.model.profile import CAMPAIGN

# In CI one of each kind; all of them with HYPOTHESIS_PROFILE=campaign.
PROCESSES = (2, 4, 8) if CAMPAIGN else (8,)
FIRST = SCENARIOS["us-first"]
COPIED = "copy_end"  # the event at which the run that works is held: its transaction is open


@contextmanager
def reader(stage: Stage) -> Iterator[list[str]]:
    """Somebody who reads all the time; what he saw that cannot be."""
    found: list[str] = []
    ended = threading.Event()

    def read() -> None:
        with connect(stage.url(), application="reader") as connection:
            while not ended.is_set():
                found.extend(look(connection).broken)

    reading = threading.Thread(target=read)
    reading.start()
    try:
        yield found
    finally:
        ended.set()
        reading.join()


def at_work(stage: Stage, scenario: Scenario = FIRST) -> Victim:
    """A run that is held within its transaction, in a fresh copy."""
    events = stage.enter(scenario).events
    stage.reset(scenario)
    held = next(event.number for event in events if event.what == COPIED)
    victim = stage.victims.start(stage.url(), scenario.last.arguments, [held])
    assert victim.wait()
    return victim


def ledger(stage: Stage) -> list[tuple[object, ...]]:
    """(status, rows_new) of every attempt."""
    with stage.open() as connection:
        return connection.execute("select status, rows_new::int from tb_job_run order by run_id").fetchall()


def places(stage: Stage) -> list[tuple[object, ...]]:
    """Where each row of data lies and which transaction wrote it: one that is written again moves."""
    tables = ("tb_meta", "tb_bar", "tb_bar_revision", "tb_action", "tb_gap", "tb_listing", "tb_macro_vintage")
    with stage.open() as connection:
        return [
            row
            for table in tables
            for row in connection.execute(f"select '{table}', ctid::text, xmin::text from {table} order by 2")
        ]


@pytest.mark.parametrize("processes", PROCESSES)
def test_one_works_and_the_others_are_refused(stage: Stage, processes: int) -> None:
    working = at_work(stage)
    with reader(stage) as impossible:
        others = [stage.victims.start(stage.url(), FIRST.last.arguments) for _ in range(processes - 1)]
        for other in others:
            other.wait()
        assert [other.code for other in others] == [75] * (processes - 1)
        working.signal(signal.SIGCONT)
        working.wait()
    assert (working.code, impossible) == (0, [])
    assert all("another run of us-price is at work (pid " in other.said for other in others)
    assert stage.look() == stage.enter(FIRST).end


@pytest.mark.parametrize("processes", PROCESSES)
def test_one_works_and_the_others_wait(stage: Stage, processes: int) -> None:
    working = at_work(stage)
    waiting = [stage.victims.start(stage.url(), [*FIRST.last.arguments, "--wait", "120"]) for _ in range(processes - 1)]
    until(lambda: all("waits up to 120 s" in one.said for one in waiting))
    told = re.compile(
        r"us-price waits up to 120 s: another run of us-price is at work \(pid \d+, insight-invest us-price"
    )
    assert [len(told.findall(one.said)) for one in waiting] == [1] * (processes - 1)
    with reader(stage) as impossible:
        working.signal(signal.SIGCONT)
        for one in (working, *waiting):
            one.wait()
    assert ([one.code for one in (working, *waiting)], impossible) == ([0] * processes, [])
    assert ledger(stage) == [("succeeded", 6), *[("succeeded", 0)] * (processes - 1)]
    assert stage.look().data == stage.enter(FIRST).end.data
    assert stage.broken("us-price") == []


def test_who_waits_in_vain_ends_with_75(stage: Stage) -> None:
    working = at_work(stage)
    assert stage.victims.run(stage.url(), [*FIRST.last.arguments, "--wait", "1"]).code == 75
    working.signal(signal.SIGCONT)
    assert (working.wait(), working.code) == (False, 0)
    assert stage.look() == stage.enter(FIRST).end


def test_who_waits_ends_at_sigterm(stage: Stage) -> None:
    working = at_work(stage)
    waiting = stage.victims.start(stage.url(), [*FIRST.last.arguments, "--wait", "120"])
    until(lambda: "waits up to" in waiting.said)
    waiting.signal(signal.SIGTERM)
    assert (waiting.wait(), waiting.code) == (False, 143)
    working.signal(signal.SIGCONT)
    assert (working.wait(), working.code) == (False, 0)


def test_eight_that_nobody_holds_do_the_work_of_one(stage: Stage) -> None:
    stage.enter(FIRST)
    stage.reset(FIRST)
    with reader(stage) as impossible:
        runs = [stage.victims.start(stage.url(), FIRST.last.arguments) for _ in range(8)]
        for run in runs:
            run.wait()
    codes = [run.code for run in runs]
    assert (set(codes) <= {0, 75}, 0 in codes, impossible) == (True, True, [])
    assert sorted(ledger(stage)) == [*[("succeeded", 0)] * (codes.count(0) - 1), ("succeeded", 6)]
    assert stage.look().data == stage.enter(FIRST).end.data


def test_a_dead_holder_frees_its_lease_at_once_and_is_closed_as_lost(stage: Stage) -> None:
    working = at_work(stage)
    waiting = stage.victims.start(stage.url(), [*FIRST.last.arguments, "--wait", "120"])
    until(lambda: "waits up to" in waiting.said)
    working.signal(signal.SIGKILL)
    working.wait()
    assert (waiting.wait(), waiting.code) == (False, 0)
    assert ledger(stage) == [("lost", 0), ("succeeded", 6)]
    assert stage.look().data == stage.enter(FIRST).end.data


@pytest.mark.parametrize("scenario", ["us-changes", "macro-changes"] if CAMPAIGN else ["us-changes"])
def test_again_after_it_had_committed_does_nothing(stage: Stage, scenario: str) -> None:
    """Killed between its last commit and its report: whoever started it tries again."""
    asked = SCENARIOS[scenario]
    reported = next(event for event in stage.enter(asked).events if event.what == "before-report")
    stage.reset(asked)
    victim = stage.victims.start(stage.url(), asked.last.arguments, [reported.number])
    assert victim.wait()
    victim.signal(signal.SIGKILL)
    victim.wait()
    before, digests = places(stage), stage.look().data
    again = stage.victims.run(stage.url(), asked.last.arguments)
    assert (again.code, again.report["rows"]["new"], again.report["rows"]["changed"]) == (0, 0, 0)
    assert (places(stage), stage.look().data) == (before, digests)
