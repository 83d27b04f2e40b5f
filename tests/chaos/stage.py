"""Where runs are disturbed: a server with a database for each scenario as it is before its last run, and copies."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

from include.insight_invest.jobs import JOBS
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.store.ledger import broken_invariants
from include.insight_invest.store.migrate import upgrade
from tests.chaos.dump import Look, lines, look
from tests.chaos.scenarios import Morning, Scenario
from tests.chaos.victims import Event, Victims
from tests.replay import Replay

WAIT_SECONDS = 30
_COPY = "chaos"


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody disturbed: its events, what was there after each of them that had no transaction open, and at
    the end; and how it ended."""

    events: list[Event]
    seen: dict[int, Look]
    end: Look
    rows: dict[str, list[str]]
    code: int

    def at(self, event: int) -> Look:
        """What everybody must see at ``event``: what was committed by then."""
        return self.seen[max(number for number in self.seen if number <= event)]


class Stage:
    """Databases in the server at ``url`` (its owner's address of any database), with the sources of ``replay``.

    ``folder`` is where the worlds are written. Every method leaves the copy as the run left it.
    """

    def __init__(self, url: str, replay: Replay, victims: Victims, folder: Path) -> None:
        self._url = url
        self.replay = replay
        self._folder = folder
        self.victims = victims
        self._ready: dict[str, Undisturbed] = {}
        self._world = ""  # of which scenario the sources tell

    def url(self, name: str = _COPY) -> str:
        """The address of a database; without a name that of the copy that runs write to."""
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()

    def enter(self, scenario: Scenario) -> Undisturbed:
        """Make the database and the world as they are before the last run of ``scenario``, and let it run once,
        undisturbed. Later calls only put the world back."""
        if scenario.name not in self._ready:
            self._create(self._before(scenario))
            self._fill(scenario)
            self._world = ""
        if self._world != scenario.name:
            self._morning(scenario, scenario.last)
            self._world = scenario.name
        if scenario.name not in self._ready:
            self._ready[scenario.name] = self._undisturbed(scenario)
        return self._ready[scenario.name]

    def reset(self, scenario: Scenario) -> None:
        """Make the copy: the database as it is before the last run of ``scenario``."""
        self._create(_COPY, template=self._before(scenario))

    @contextmanager
    def open(self) -> Iterator[Connection]:
        """A connection to the copy."""
        with connect(self.url(), application="chaos") as connection:
            yield connection

    def look(self) -> Look:
        """What a reader of the copy sees."""
        with self.open() as connection:
            return look(connection)

    def rows(self) -> dict[str, list[str]]:
        """The rows of the copy, as they are compared."""
        with self.open() as connection:
            return lines(connection)

    def broken(self, job: str) -> list[str]:
        """What of the invariants does not hold."""
        with self.open() as connection:
            return broken_invariants(connection, JOBS[job].name)

    def wait_for_the_end(self) -> float:
        """Wait until the server has noticed that the run is dead; the seconds that took."""
        began = time.monotonic()
        with self.open() as connection:
            until(lambda: not _at_work(connection))
        return time.monotonic() - began

    def _undisturbed(self, scenario: Scenario) -> Undisturbed:
        """A run that waits for a reader at each event without an open transaction, and one that waits for nobody."""
        self.reset(scenario)
        seen = {0: self.look()}
        victim = self.victims.start(self.url(), scenario.last.arguments, "idle")
        while victim.wait():
            seen[len(victim.events())] = self.look()
            victim.signal(signal.SIGCONT)
        watched = self.look()
        self.reset(scenario)
        free = self.victims.run(self.url(), scenario.last.arguments)
        end = self.look()
        assert free.code == victim.code == 0, free.said
        assert free.events() == victim.events(), "the same run twice sends other statements"
        assert end == watched, "the same run twice ends differently"
        assert (end.broken, self.broken(scenario.last.job)) == ([], [])
        before = seen[0].tables
        same = [name for name in scenario.shows if end.tables[name] == before[name]]
        assert same == [], f"{scenario.name} was to write to {same}"
        return Undisturbed(free.events(), seen, end, self.rows(), free.code)

    def _fill(self, scenario: Scenario) -> None:
        url = self.url(self._before(scenario))
        upgrade(url)
        with connect(url) as connection:
            connection.execute("truncate tb_macro cascade")
            for ticker in scenario.tickers:
                connection.execute(
                    "insert into tb_meta (ticker, name, security_type, iso_code) values (%s, %s, 'STOCK', 'US')",
                    [ticker, ticker],
                )
            for series in scenario.series:
                connection.execute("insert into tb_macro (fred) values (%s)", [series])
        for morning in scenario.mornings[:-1]:
            self._morning(scenario, morning)
            victim = self.victims.run(url, morning.arguments)
            assert victim.code == 0, victim.said

    def _morning(self, scenario: Scenario, morning: Morning) -> None:
        world = self._folder / scenario.name
        world.mkdir(exist_ok=True)
        morning.write(world)
        self.replay.load(world)
        self.replay.reset()
        self.replay.move_clock(morning.clock)

    def _create(self, name: str, template: str = "template1") -> None:
        with psycopg.connect(self._url, autocommit=True) as admin:
            admin.execute(SQL("drop database if exists {} with (force)").format(Identifier(name)))
            admin.execute(SQL("create database {} template {}").format(Identifier(name), Identifier(template)))
            # A copied sequence counts on values that were logged for the one it was copied from; a checkpoint makes it
            # log its own. Without, a crash takes it back, and the next run's id is there already.
            admin.execute("checkpoint")

    @staticmethod
    def _before(scenario: Scenario) -> str:
        return f"before_{scenario.name}"


def until(condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Wait for ``condition``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def _at_work(connection: Connection) -> bool:
    row = connection.execute(
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
        "and backend_type = 'client backend'"
    ).fetchone()
    return bool(row and row[0])
