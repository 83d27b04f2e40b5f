"""A run's hold on the database: a connection with its lease, and another one where the server went away and came back.

A step is what is done again: it reads and writes the database only, in at most one transaction, so that nothing half
done is left where it breaks off.
"""

import logging
import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Self

import psycopg
from psycopg.pq import TransactionStatus
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential_jitter,
)

from include.insight_invest.errors import DatabaseAway, StoreError
from include.insight_invest.settings import Settings
from include.insight_invest.store.backends import Backend, Watch, backend_of
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.store.faults import LOCKED, PASSING, first_line, store_error

log = logging.getLogger(__name__)

_BETWEEN_TRANSACTIONS = (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)  # unknown is that of a lost connection
_LAST_WORDS = ("FATAL", "PANIC")
LONGEST_PAUSE = 5  # seconds between two tries to reach the server


@contextmanager
def connect_patiently(settings: Settings, *, application: str) -> Iterator[Connection]:
    """``connect`` to the settings' database; one that cannot be reached is tried INSIGHT_ATTEMPTS times."""
    tries = Retrying(
        retry=retry_if_exception_type(DatabaseAway),
        stop=stop_after_attempt(settings.attempts),
        wait=_pauses(settings.retry_wait),
        before_sleep=_tell,
        reraise=True,
    )
    with ExitStack() as stack:
        yield tries(lambda: stack.enter_context(connect(settings.database(), application=application)))


class Link:
    """The connection of a run at work, which holds its lease.

    ``reopen`` opens the next one, which holds the lease too; it raises LeaseHeld where another run has it meanwhile. It
    is given the session that was lost. None: what is lost stays lost, as the one transaction of a dry run does.
    """

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        reopen: Callable[[Backend], AbstractContextManager[Connection]] | None,
    ) -> None:
        self._settings = settings
        self._reopen = reopen
        self._reopened = ExitStack()
        self._use(connection)
        self._wait = settings.database_wait

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reopened.close()

    @property
    def connection(self) -> Connection:
        """The connection, or another where it was lost and nothing is under way. Raises DatabaseAway, LeaseHeld."""
        if self._reopen is not None and _is_gone(self._connection):
            self._connect_anew()
        return self._connection

    @property
    def is_lost(self) -> bool:
        """Whether the connection is known to be gone."""
        return self._connection.closed

    def is_lost_by(self, error: BaseException) -> bool:
        """Whether the connection is gone after ``error``; a server's last word closes it at this end too."""
        if isinstance(error, psycopg.Error) and error.diag.severity_nonlocalized in _LAST_WORDS:
            self._connection.close()
        return self._connection.closed

    def hurry(self, seconds: float) -> None:
        """Wait for a server that is away no longer than ``seconds`` from now on."""
        self._wait = min(self._wait, seconds)

    def drop(self) -> None:
        """Give the connection up, and with it the transaction that was open on it."""
        self._connection.close()

    def again[T](self, step: Callable[[], T]) -> T:
        """What ``step`` returns, after INSIGHT_ATTEMPTS tries at most.

        It is done again where its connection was lost, and where another session had the lock or won the race. Raises
        StoreError where that did not help. Within a transaction, which is part of another step, it is done once.
        """
        if self._reopen is None or self._connection.info.transaction_status not in _BETWEEN_TRANSACTIONS:
            return step()
        watch: Watch | None = None

        def watched() -> T:
            with watch or nullcontext():
                return step()

        def prepare(state: RetryCallState) -> None:
            nonlocal watch
            error = self._told(state)
            pid = self.connection.info.backend_pid  # of another connection where the last one was lost
            if error.sqlstate == LOCKED and (watch is None or watch.pid != pid):
                watch = Watch(self._settings.database(), pid)

        tries = Retrying(
            retry=retry_if_exception(self._may_pass),
            stop=stop_after_attempt(self._settings.attempts),
            wait=_pauses(self._settings.retry_wait),
            before_sleep=prepare,
            reraise=True,
        )
        try:
            for attempt in tries:
                with attempt:
                    result = watched()
        except psycopg.Error as error:
            if not self._may_pass(error):
                raise
            holder = f"{watch.told}. " if watch and watch.told else ""
            told = store_error(error, role=self.role, lost=self.is_lost, more=holder)
            raise StoreError(str(told)) from error  # also where it was lost again and again: it was back each time
        return result

    def _may_pass(self, error: BaseException) -> bool:
        return isinstance(error, psycopg.Error) and (self.is_lost_by(error) or error.sqlstate in PASSING)

    def _told(self, state: RetryCallState) -> psycopg.Error:
        """The error of the last try, after it was logged."""
        error = state.outcome.exception() if state.outcome else None
        assert isinstance(error, psycopg.Error)  # noqa: S101 (nothing else is done again)
        log.warning(
            "%s (%s): what was not committed is done again, try %d of %d",
            "the connection was lost" if self.is_lost else type(error).__name__,
            first_line(error),
            state.attempt_number + 1,
            self._settings.attempts,
        )
        return error

    def _connect_anew(self) -> None:
        assert self._reopen is not None  # noqa: S101 (the callers have looked)
        self._connection.close()
        self._reopened.close()
        tries = Retrying(
            retry=retry_if_exception_type(DatabaseAway),
            stop=stop_after_delay(self._wait),
            wait=_pauses(0.2),
            before_sleep=_tell,
            reraise=True,
        )
        try:
            self._use(tries(self._enter))
        except DatabaseAway as error:
            raise DatabaseAway(
                f"the connection was lost, and the database did not come back within {self._wait:.0f} s "
                "(INSIGHT_DATABASE_WAIT); what was committed stays, and the next run closes this one's ledger row as "
                f"lost: {error}"
            ) from error.__cause__
        log.warning("connected to the database again: the run goes on")

    def _enter(self) -> Connection:
        assert self._reopen is not None  # noqa: S101 (the caller has looked)
        return self._reopened.enter_context(self._reopen(self._backend))

    def _use(self, connection: Connection) -> None:
        self._connection = connection
        self._backend = backend_of(connection)
        self.role = connection.info.user


def _pauses(first: float) -> wait_exponential_jitter:
    """Of one to two times ``first`` seconds, each twice the one before it, at most LONGEST_PAUSE."""
    return wait_exponential_jitter(initial=first, max=LONGEST_PAUSE, jitter=first)


def _is_gone(connection: Connection) -> bool:
    """Whether the connection is closed, at this end or, while it was idle, at the other; asks nobody."""
    if connection.closed or connection.info.transaction_status is not TransactionStatus.IDLE:
        return connection.closed
    arrived = select.poll()
    arrived.register(connection.pgconn.socket, select.POLLIN)
    try:
        while arrived.poll(0):
            connection.pgconn.consume_input()  # a server's last word; after it an end of file, which raises
    except psycopg.OperationalError:
        return True
    return False


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("%s; try %d", error, state.attempt_number + 1)
