"""One contestant as a process of its own, told what to do by JSON lines: prepare, then go as often as it is asked.

Imports, connections and the making of the rows are not measured; what goes from a data frame to a commit is. Runs in
the project's environment and in the peers': only the standard library and NumPy are here.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

from bench import ROOT
from bench.bars import Shape

PEERS = ROOT / ".local" / "bench" / "venv" / "bin" / "python"
_STATUS = Path("/proc/self/status")


class Contestant(Protocol):
    """A way to do something with bars. ``backend`` is its server process, where it has one and knows it."""

    backend: int | None

    def prepare(self, shape: Shape) -> None:
        """Make the rows of ``shape``."""
        ...

    def go(self) -> Mapping[str, Any]:
        """Do it, until the commit has come back; what is to be reported beside the time."""
        ...


class ChildFailed(Exception):
    """A contestant's process ended, or said why it could not."""


def serve(contestants: Mapping[str, type[Any]]) -> None:
    """Obey the lines of stdin until it ends. The database's URL is in the environment, as BENCH_URL."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    contestant: Contestant | None = None
    for line in sys.stdin:
        told = json.loads(line)
        try:
            if contestant is None:
                contestant = contestants[told["contestant"]](os.environ["BENCH_URL"])
            if "shape" in told:
                contestant.prepare(Shape(**told["shape"]))
                answer: dict[str, Any] = {"prepared_mb": _memory("VmRSS")}
            else:
                answer = _measured(contestant)
        except Exception as error:  # noqa: BLE001 (whoever asked is told)
            answer = {"error": f"{type(error).__name__}: {str(error).strip()[:500]}"}
        print(json.dumps(answer), file=answers, flush=True)


def _measured(contestant: Contestant) -> dict[str, Any]:
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew, proc(5)
    served, used, began = backend_cpu(contestant.backend), time.process_time(), time.perf_counter()
    told = contestant.go()
    seconds = time.perf_counter() - began
    measured = {"seconds": seconds, "client_cpu": time.process_time() - used, "peak_mb": peak_mb()}
    if contestant.backend is not None:
        measured["backend_cpu"] = backend_cpu(contestant.backend) - served
    return {**measured, **told}


def backend_cpu(pid: int | None) -> float:
    """CPU seconds that a process has used, to the nanosecond the scheduler counts; 0 where it cannot be known."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def peak_mb() -> float:
    """The peak of this process' resident memory, MB of 1,000,000 bytes."""
    if _STATUS.exists():
        return _memory("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS: bytes


def _memory(field: str) -> float:
    if not _STATUS.exists():
        return peak_mb()
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


class Child:
    """A contestant's process, seen from the program that measures. A context manager: it ends with the block."""

    # Where each contestant lives: the module that knows it, and the Python that has its libraries.
    PROGRAMS: ClassVar = {"peers": PEERS, "ours": Path(sys.executable)}

    def __init__(self, module: str, contestant: str, url: str) -> None:
        self._contestant = contestant
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(ROOT),
            "BENCH_URL": url,
            "RUNTIME__DLTHUB_TELEMETRY": "false",  # nothing here speaks to anyone but the server
            "RUNTIME__LOG_LEVEL": "CRITICAL",
            "LC_ALL": "C.UTF-8",
        }
        self._process = subprocess.Popen(
            [str(self.PROGRAMS[module]), "-m", f"bench.{module}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
            env=environment, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(0 if kind else 10)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def prepare(self, shape: Shape) -> dict[str, Any]:
        """Let it make its rows; {"prepared_mb"}, its resident memory then."""
        return self._ask({"shape": vars(shape)})

    def go(self) -> dict[str, Any]:
        """Let it do it once; what it measured. Raises ChildFailed."""
        return self._ask({})

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"contestant": self._contestant, **message}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ChildFailed(f"{self._contestant} ended before it was done") from None
        line = self._process.stdout.readline()
        if not line:
            raise ChildFailed(f"{self._contestant} ended before it was done")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ChildFailed(f"{self._contestant}: {answer['error']}")
        return answer
