"""Whose turn it is at a source, over all processes: a row a source in insight_request_pace.

Pacing never fails a run: where the table cannot be asked, each process keeps to the rate by itself for the while.
"""

import logging
import math
import threading
import time
from contextlib import ExitStack
from typing import Final, Self

import psycopg

from include.insight_invest.errors import StoreError
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.store.faults import first_line, remedy_of
from include.insight_invest.store.statements import sql

log = logging.getLogger(__name__)

AGAIN_SECONDS = 30  # after this long a server that was away is asked again
# Who takes a turn keeps it locked for less than a millisecond: longer, and somebody holds the row by hand.
_PATIENCE: Final = "2s"
# A right or a table that is missing does not come back by waiting.
_FINAL: Final = ("42501", "42P01", "42703")


class SharedTurns:
    """Turns taken in the database at ``url``, on a connection of its own that opens with the first. Thread safe.

    It is in autocommit mode, apart from the run's: a turn is taken for good, whatever becomes of a transaction, and a
    dry run takes its turns like any other.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._opened = ExitStack()
        self._connection: Connection | None = None
        self._ask_again = -math.inf  # on the monotonic clock
        self._told = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ask_again = math.inf
        # a thread that a stopped run left behind may hold it: then the connection ends with the process
        if self._lock.acquire(timeout=1):
            self._opened.close()
            self._lock.release()

    def take(self, source: str, interval: float) -> float | None:
        """Take the next turn at ``source``, ``interval`` seconds after the one before; seconds until it comes.

        None where the database cannot be asked: then it is up to this process.
        """
        with self._lock:
            if time.monotonic() < self._ask_again:
                return None
            try:
                seconds = self._take(source, interval)
            except (psycopg.Error, StoreError) as error:
                self._give_up(source, error)
                return None
            if self._told:
                log.info("the pace of requests is shared by all processes again")
                self._told = False
            return seconds

    def _take(self, source: str, interval: float) -> float:
        if self._connection is None:
            self._connection = self._opened.enter_context(connect(self._url, application="insight-invest-pace"))
            self._connection.execute(f"set statement_timeout = '{_PATIENCE}'")
        row = self._connection.execute(sql("take_turn"), {"source": source, "interval": interval}).fetchone()
        assert row is not None  # noqa: S101 (the statement returns one)
        return float(row[0])  # type: ignore[arg-type]

    def _give_up(self, source: str, error: psycopg.Error | StoreError) -> None:
        self._opened.close()
        self._connection = None
        final = isinstance(error, psycopg.Error) and error.sqlstate in _FINAL
        self._ask_again = math.inf if final else time.monotonic() + AGAIN_SECONDS
        if self._told:
            return
        self._told = True
        todo = remedy_of(error) if final else f"It is asked again every {AGAIN_SECONDS} s"
        log.warning(
            "requests to %s and other sources keep to their rates by this process alone, beside what others send: "
            "insight_request_pace cannot be written (%s). %s",
            source,
            first_line(error),
            (todo or "").format(role="of DATABASE_URL"),
        )
