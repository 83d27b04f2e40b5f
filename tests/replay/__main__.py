"""``python -m tests.replay --data DIR [--data DIR ...] --port P --now ISO-8601 [--env-file FILE]``."""

import argparse
import os
import shlex
import signal
from datetime import datetime
from pathlib import Path

from tests.replay.world import Replay


def main() -> None:
    """Serve until SIGINT or SIGTERM. The ready line is printed when requests can come."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.replay", description="Stand-in for every market data source."
    )
    parser.add_argument(
        "--data", type=Path, action="append", required=True, help="a folder laid out like the recordings"
    )
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; 0 takes a free one")
    parser.add_argument("--now", type=_instant, required=True, help="the server's clock, ISO 8601 with a time zone")
    parser.add_argument("--env-file", type=Path, help="written for `source`: what a client's environment needs")
    options = parser.parse_args()
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before any thread starts: they inherit it
    with Replay(options.data, options.now, options.port) as replay:
        if options.env_file:
            _write(options.env_file, replay.env)
        print(f"replay ready on 127.0.0.1:{replay.port}, now {replay.now.isoformat()}", flush=True)
        signal.sigwait(signals)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no time zone")
    return instant


def _write(file: Path, env: dict[str, str]) -> None:
    """Replace ``file`` at once: who waits for it must not read half of it."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in env.items()))
    part.replace(file)


if __name__ == "__main__":
    main()
