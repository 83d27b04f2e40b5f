"""One disturbance at one event of one run, and what must be true afterwards."""

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from include.insight_invest.store.database import Connection
from tests.chaos.dump import Look
from tests.chaos.scenarios import Scenario
from tests.chaos.stage import Stage, Undisturbed
from tests.chaos.victims import Event, Victim

SIGTERM_SECONDS = 20
_SHOWN = 6


class Blow(StrEnum):
    """What happens to a run."""

    KILL = "SIGKILL"
    TERMINATE = "pg_terminate_backend"
    SIGTERM = "SIGTERM"
    CRASH = "server crash"


@dataclass(frozen=True)
class Point:
    """``blow`` at ``event`` of the last run of ``scenario``."""

    scenario: Scenario
    event: Event
    blow: Blow

    def __str__(self) -> str:
        return f"{self.blow} at event {self.event.number} ({self.event.what}) of {self.scenario.name}"


@dataclass(frozen=True)
class Outcome:
    """What became of it: ``code`` is the disturbed run's, ``wrong`` what was not as it must be."""

    point: Point
    code: int | None
    seconds: float  # from the blow until the run had ended and the server had freed its lease
    wrong: list[str]


def points(stage: Stage, scenario: Scenario, blow: Blow, *, every: int = 1) -> Iterator[Point]:
    """Each ``every``-th event of the last run of ``scenario``."""
    events = [one for one in stage.enter(scenario).events if not scenario.only or one.what in scenario.only]
    for event in events[::every]:
        yield Point(scenario, event, blow)


def strike(stage: Stage, point: Point, crash: Callable[[], None] | None = None) -> Outcome:
    """Let the run come to the event, disturb it, run the same again, and compare. ``crash`` restarts the server."""
    undisturbed = stage.enter(point.scenario)
    stage.reset(point.scenario)
    victim = stage.victims.start(stage.url(), point.scenario.last.arguments, [point.event.number])
    wrong = []
    if not victim.wait():
        return Outcome(point, victim.code, 0.0, [f"ended with {victim.code} before: {victim.said}"])
    committed = undisturbed.at(point.event.number)
    wrong += _differences("a reader during the run", stage.look(), committed)
    began = time.monotonic()
    _blow(stage, point.blow, victim, crash)
    took = time.monotonic() - began
    wrong += _wrong_end(point, victim, took)
    stage.wait_for_the_end()
    freed = time.monotonic() - began
    left = stage.look()
    wrong += _differences("a reader after the blow", left, committed) if point.blow is Blow.KILL else left.broken
    again = stage.victims.run(stage.url(), point.scenario.last.arguments)
    if again.code != undisturbed.code:
        wrong.append(f"the next run ended with {again.code}: {again.said}")
    wrong += _wrong_afterwards(stage, point, undisturbed)
    return Outcome(point, victim.code, freed, wrong)


def _blow(stage: Stage, blow: Blow, victim: Victim, crash: Callable[[], None] | None) -> None:
    if blow is Blow.KILL:
        victim.signal(signal.SIGKILL)
    elif blow is Blow.SIGTERM:
        victim.signal(signal.SIGTERM)
        victim.signal(signal.SIGCONT)
    elif blow is Blow.TERMINATE:
        with stage.open() as connection:
            _terminate(connection)
        victim.signal(signal.SIGCONT)
    else:
        assert crash is not None
        crash()
        victim.signal(signal.SIGCONT)
    victim.wait()


def _terminate(connection: Connection) -> None:
    connection.execute(
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() "
        "and pid <> pg_backend_pid() and backend_type = 'client backend'"
    )


def _wrong_end(point: Point, victim: Victim, seconds: float) -> list[str]:
    """A run that was disturbed ends in a known way, and says so."""
    if "Traceback" in victim.said and point.blow is Blow.SIGTERM:
        return [f"a traceback: {victim.said}"]
    allowed = {
        Blow.KILL: (-signal.SIGKILL,),
        Blow.SIGTERM: (143,) if not point.event.what.startswith("report") else (0, 143),
        Blow.TERMINATE: (0, 1),
        Blow.CRASH: (0, 1),
    }[point.blow]
    found = [] if victim.code in allowed else [f"ended with {victim.code}: {victim.said}"]
    if point.blow is Blow.SIGTERM and seconds > SIGTERM_SECONDS:
        found.append(f"took {seconds:.1f} s to end")
    return found


def _wrong_afterwards(stage: Stage, point: Point, undisturbed: Undisturbed) -> list[str]:
    """After one more run everything is as if nothing had happened."""
    end = stage.look()
    wrong = [*end.broken, *stage.broken(point.scenario.last.job)]
    if end.ledger != undisturbed.end.ledger:
        wrong.append(f"the ledger in sum is {end.ledger}, undisturbed {undisturbed.end.ledger}")
    if end.data != undisturbed.end.data:
        rows = stage.rows()
        for name, expected in undisturbed.rows.items():
            if name != "tb_job_run":
                wrong += _shown(f"{name} lacks", set(expected) - set(rows[name]))
                wrong += _shown(f"{name} has besides", set(rows[name]) - set(expected))
                if rows[name] != expected and set(rows[name]) == set(expected):
                    wrong.append(f"{name} has a row twice")
    return wrong


def _shown(what: str, rows: Iterable[str]) -> list[str]:
    return [f"{what} {row}" for row in sorted(rows)[:_SHOWN]]


def _differences(who: str, seen: Look, expected: Look) -> list[str]:
    tables = [name for name, digest in expected.tables.items() if seen.tables[name] != digest]
    return [f"{who} saw {name} as it never was between two transactions" for name in tables] + seen.broken
