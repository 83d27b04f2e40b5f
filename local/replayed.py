"""The replayed sources as a process of its own, whose clock runs: ``python -m local.replayed ENV_FILE``."""

import signal
import sys
import threading
from pathlib import Path

from include.insight_invest import clock
from local import world

TICK_SECONDS = 20


def main() -> int:
    """Serve until SIGTERM or SIGINT; ENV_FILE is written when requests can come."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    with world.replayed(clock.now()) as replay:
        file = Path(sys.argv[1])
        part = file.with_suffix(".part")
        part.write_text("".join(f"{name}={value}\n" for name, value in replay.env.items()))
        part.replace(file)
        while not stopped.wait(TICK_SECONDS):
            replay.move_clock(clock.now())
    return 0


if __name__ == "__main__":
    sys.exit(main())
