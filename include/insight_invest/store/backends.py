"""The server's side of a connection: which session it is, how a lost one is ended, and who keeps one waiting."""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import psycopg

from include.insight_invest.errors import DatabaseAway, StoreError
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.store.statements import sql

log = logging.getLogger(__name__)

ENDED_WITHIN = 5_000  # ms
_FIRST_LOOK, _LONGEST_PAUSE = 0.05, 2.0  # seconds


@dataclass(frozen=True)
class Backend:
    """A session of the server; another one may have its pid later, but not since the same instant."""

    pid: int
    since: datetime


def backend_of(connection: Connection) -> Backend:
    """The session behind ``connection``."""
    row = connection.execute("select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()").fetchone()
    assert row is not None  # noqa: S101 (it is at work)
    return Backend(*row)  # type: ignore[arg-type]


def end_backend(connection: Connection, lost: Backend) -> None:
    """End a session of our own whose connection was lost, where the server has not noticed: it holds lease and locks.

    Afterwards its last transaction has been committed or rolled back.
    """
    connection.execute(
        "select pg_terminate_backend(pid, %s) from pg_stat_activity where pid = %s and backend_start = %s",
        [ENDED_WITHIN, lost.pid, lost.since],
    )


def require_primary(connection: Connection) -> None:
    """Raise DatabaseAway where the server takes no writes, as long as a failover is under way."""
    row = connection.execute("select current_setting('transaction_read_only')").fetchone()
    if row != ("off",):
        raise DatabaseAway("the server is read-only: DATABASE_URL does not name the primary, or not yet")


def blockers(connection: Connection, pid: int) -> str | None:
    """Who holds the lock that session ``pid`` waits for, as a sentence; None while it waits for none."""
    rows = connection.execute(sql("blockers"), {"pid": pid}).fetchall()
    if not rows:
        return None
    waited_for = rows[0][0]
    return f"The lock on {waited_for} is held by {', '.join(str(row[1]) for row in rows)}"


class Watch:
    """Looks, on a connection of its own and while a step is at work, who keeps session ``pid`` waiting."""

    def __init__(self, url: str, pid: int) -> None:
        self.told: str | None = None
        self._url = url
        self.pid = pid
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._over.clear()
        self._thread = threading.Thread(target=self._look, name="lock watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=_LONGEST_PAUSE)

    def _look(self) -> None:
        pause = _FIRST_LOOK
        try:
            with connect(self._url, application="insight-invest lock watch") as connection:
                while not self._over.wait(pause):
                    self.told = blockers(connection, self.pid) or self.told
                    pause = min(2 * pause, _LONGEST_PAUSE)
        except (StoreError, psycopg.Error) as error:  # no better off without it than before
            log.info("who holds the lock could not be found out: %s", error)
