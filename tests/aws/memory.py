"""A memory limit such as a container has, for one process and its children."""

import contextlib
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_V1, _V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")


@dataclass
class Limit:
    """``command`` is what to start; after that ``watch`` it, and after its end ask whether it was ``killed``."""

    command: Sequence[str]
    bytes: int
    group: Path | None
    _over: bool = field(default=False, init=False)

    def watch(self, process: subprocess.Popen[str]) -> None:
        """Kill ``process`` when it needs more, where the kernel does not."""
        if self.group is None:
            threading.Thread(target=self._kill_when_over, args=[process], daemon=True).start()

    def killed(self) -> bool:
        """Whether the process was killed for its memory."""
        if self.group is None:
            return self._over
        counts = self.group / ("memory.events" if (self.group / "memory.events").exists() else "memory.oom_control")
        return any(line.split() != ["oom_kill", "0"] for line in _lines(counts) if line.startswith("oom_kill "))

    def _kill_when_over(self, process: subprocess.Popen[str]) -> None:
        while process.poll() is None:
            shown = subprocess.run(
                ["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, check=False
            ).stdout
            if int(shown or 0) * 1024 > self.bytes:
                self._over = True
                process.kill()
            time.sleep(0.05)


@contextlib.contextmanager
def limited(command: Sequence[str], megabytes: int) -> Iterator[Limit]:
    """``command`` within ``megabytes``: by a cgroup of its own where one can be made, else by watching it."""
    group = _group(megabytes * 2**20)
    if group is None:
        yield Limit(command, megabytes * 2**20, None)
        return
    joined = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh", *command]
    try:
        yield Limit(joined, megabytes * 2**20, group)
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


def _group(limit: int) -> Path | None:
    root, name = (_V1, "memory.limit_in_bytes") if _V1.is_dir() else (_V2, "memory.max")
    group = root / f"insight-{uuid.uuid4().hex[:8]}"
    try:
        group.mkdir()
        (group / name).write_text(str(limit))
    except OSError:
        with contextlib.suppress(OSError):
            group.rmdir()
        return None
    with contextlib.suppress(OSError):  # no swap beside it, where it is counted
        (group / ("memory.memsw.limit_in_bytes" if root == _V1 else "memory.swap.max")).write_text(
            str(limit if root == _V1 else 0)
        )
    return group


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines()
