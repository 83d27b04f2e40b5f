"""A memory limit as a container has it, where this machine permits one: a fresh cgroup, version 1 or 2."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_V1, _V2 = ("memory.limit_in_bytes", "memory.max_usage_in_bytes"), ("memory.max", "memory.peak")


@dataclass(frozen=True)
class Group:
    """A cgroup with a memory limit."""

    folder: Path
    peak_file: str

    def command(self, command: list[str]) -> list[str]:
        """``command`` as one that enters the group first."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs"), *command]

    def peak_mb(self) -> float:
        """The most that it held, the page cache of its files included, MB of 1,000,000 bytes."""
        return int((self.folder / self.peak_file).read_text()) / 1e6


@contextmanager
def limited(megabytes: int) -> Iterator[Group | None]:
    """A group limited to ``megabytes`` (of 2**20, as ECS counts); None where none can be made."""
    parent, files = (_ROOT / "memory", _V1) if (_ROOT / "memory").is_dir() else (_ROOT, _V2)
    folder = parent / f"insight-bench-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        yield None
        return
    limit, peak = files
    try:
        (folder / limit).write_text(str(megabytes * 2**20))
        yield Group(folder, peak) if (folder / peak).exists() else None
    except PermissionError:
        yield None
    finally:
        for _ in range(50):  # its last process may still be on its way out
            with suppress(OSError):
                folder.rmdir()
                break
            time.sleep(0.1)
