"""How a run ends when it is told to stop."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from include.insight_invest.errors import Terminated


class _Stopped(KeyboardInterrupt):
    """SIGTERM in the guise of Ctrl-C: only then does psycopg cancel the statement under way and free its connection."""


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """SIGTERM is how Fargate stops a task, 30 s before it kills it: raise Terminated where the work stands."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread only; there, whoever started this thread decides
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Stopped

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except _Stopped:
        raise Terminated(
            "stopped by SIGTERM; the open transaction was rolled back, what was committed before stays"
        ) from None
    finally:
        signal.signal(signal.SIGTERM, before)
