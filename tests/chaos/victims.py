"""Starting what is to be killed, and waiting for it: the other end of ``victim.py``."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from tests.fixtures.market import KEY, RATES

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Event:
    """One line of a trace: its number from 1, what it is, and whether no transaction is open."""

    number: int
    what: str
    idle: bool


@dataclass
class Victim:
    """A run at work. ``wait`` before asking how it ended."""

    victims: "Victims"
    pid: int
    log: Path
    trace: Path
    code: int | None = None

    def wait(self) -> bool:
        """Wait until it stops itself or ends; whether it stopped. ``code`` is then its exit code, -9 for SIGKILL."""
        answer = self.victims.ask({"wait": self.pid})
        self.code = answer.get("code")
        return bool(answer["stopped"])

    def signal(self, number: signal.Signals) -> None:
        """Send ``number``; a stopped process hears SIGKILL and SIGCONT, the others once it goes on."""
        os.kill(self.pid, number)

    def events(self) -> list[Event]:
        """What has happened so far."""
        lines = [line.split() for line in self.trace.read_text().splitlines()]
        return [Event(int(number), what, status == "idle") for number, what, status in lines]

    @property
    def said(self) -> str:
        """What it wrote, reports and logs."""
        return self.log.read_text()

    @property
    def report(self) -> dict[str, Any]:
        """The report that ``--json`` prints as its last line."""
        found: dict[str, Any] = json.loads([line for line in self.said.splitlines() if line.startswith("{")][-1])
        return found


class Victims:
    """Runs of ``run_scheduled_job.py``, forked in a process of their own. A context manager."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._count = 0
        settings = {
            "FRED_API_KEY": KEY,
            **{f"INSIGHT_{rate.upper()}": "1000" for rate in RATES},
            "INSIGHT_RETRY_WAIT": "0.01",
            "INSIGHT_SAMPLE_TICKERS": "5",
            "INSIGHT_FAILURE_BUDGET": "1",  # a share whose every row is held back counts as failed
            "INSIGHT_TIMEOUT": "10",
            "OPENBLAS_NUM_THREADS": "1",
            "TMPDIR": str(folder),  # what a killed run leaves there goes with it
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.victim"],
            cwd=REPOSITORY,
            env=os.environ | dict(env) | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process and whatever it has forked."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def start(
        self, url: str, arguments: Sequence[str], stops: Sequence[int] | Literal["idle"] = (), **env: str
    ) -> Victim:
        """A run against the database ``url`` that stops itself at the events ``stops``."""
        self._count += 1
        log, trace = (self._folder / f"{self._count}.{kind}" for kind in ("log", "trace"))
        log.touch()
        order = {"log": str(log), "trace": str(trace), "stops": stops, "arguments": [*arguments, "--json"]}
        answer = self.ask(order | {"env": {"DATABASE_URL": url} | env})
        return Victim(self, answer["pid"], log, trace)

    def run(self, url: str, arguments: Sequence[str]) -> Victim:
        """A run from its beginning to its end."""
        victim = self.start(url, arguments)
        assert not victim.wait()
        return victim

    def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Give an order and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer
