"""The server dies, and is started again."""

import os
import signal
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from local import postgres
from tests.chaos.stage import until

# An immediate stop is SIGQUIT to the postmaster (PostgreSQL manual, "Shutting Down the Server"); of a SIGKILL its
# children learn by themselves.
_SIGNALS = cycle((signal.SIGQUIT, signal.SIGKILL))


def crashing(root: Path) -> Callable[[], None]:
    """What crashes the server of ``root`` (``local/postgres.py``), each time in the other way, and starts it again."""

    def crash() -> None:
        pid = int((root / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, next(_SIGNALS))
        until(lambda: not _is_alive(pid))
        postgres.start(root)

    return crash


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
