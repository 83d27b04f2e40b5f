"""How the outside world is called: at a rate, with a time-out, again after a pause, and with its chatter kept.

Retries wait with exponential back-off and jitter (tenacity). A source that asks to slow down is obeyed at once: 429 is
not retried here, it stops the batch.
"""

import contextlib
import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from include.insight_invest.errors import SourceUnavailable, Throttled
from include.insight_invest.settings import Settings

log = logging.getLogger(__name__)

MAXIMUM_WAIT_SECONDS = 30


class Turns(Protocol):
    """Whose turn it is at a source, over all processes that ask it."""

    def take(self, source: str, interval: float) -> float | None:
        """Take the next turn, ``interval`` seconds after the one before; seconds until it comes, None if unknown."""


class Pace:
    """At most ``rate`` calls a second to ``source``: by all processes that share ``turns``, else by this one alone."""

    def __init__(self, source: str, rate: float, turns: Turns | None = None) -> None:
        self._source = source
        self._interval = 1 / rate
        self._turns = turns
        self._lock = threading.Lock()
        self._next = 0.0
        self._stopped = threading.Event()

    def wait(self) -> None:
        """Sleep until it is this call's turn. Raises Throttled after ``stop``, also in who is waiting then."""
        if self._stopped.is_set() or self._stopped.wait(self._take()):
            raise Throttled(f"not asked: {self._source} is not to be asked any more in this run")

    def stop(self) -> None:
        """Nobody gets a turn any more."""
        self._stopped.set()

    def _take(self) -> float:
        """Seconds until the turn that is taken with this."""
        with self._lock:
            shared = self._turns.take(self._source, self._interval) if self._turns else None
            now = time.monotonic()
            turn = max(now, self._next) if shared is None else now + shared
            self._next = turn + self._interval
            return turn - now


def retrying[T](call: Callable[[], T], settings: Settings, *, what: str) -> T:
    """``call`` until it does not raise SourceUnavailable, at most INSIGHT_ATTEMPTS times; then its last error.

    The first pause is one to two times INSIGHT_RETRY_WAIT; each doubles the one before it.
    """

    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        pause = state.next_action.sleep if state.next_action else 0
        log.warning(
            "%s: %s; attempt %d of %d, again in %.1f s", what, error, state.attempt_number, settings.attempts, pause
        )

    for attempt in Retrying(
        retry=retry_if_exception_type(SourceUnavailable),
        stop=stop_after_attempt(settings.attempts),
        wait=wait_exponential_jitter(initial=settings.retry_wait, max=MAXIMUM_WAIT_SECONDS, jitter=settings.retry_wait),
        before_sleep=before_sleep,
        reraise=True,
    ):
        with attempt:
            result = call()
    return result


@contextlib.contextmanager
def socket_timeout(seconds: float) -> Iterator[None]:
    """Give the libraries that set no time-out (urllib under fredapi and pandas) this one."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextlib.contextmanager
def quiet(what: str) -> Iterator[None]:
    """Keep what a library prints out of stdout, where our report goes, and in the log."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        if text := printed.getvalue().strip():
            log.info("%s says: %s", what, text[:500])
