"""Background processes that a later command can find again and stop: by pid, and only if it is still that process."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

STOP_SECONDS = 30


class Processes:
    """What was started, kept in a file: name, pid, and when the kernel says that pid was born."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "processes.json"
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start ``command`` in a session of its own; its output goes to ``<name>.log``."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.log(name)), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        program = shutil.which(command[0], path=env.get("PATH")) or command[0]
        pid = os.posix_spawn(program, list(command), env, file_actions=actions, setsid=True)
        self._write({**self._read(), name: {"pid": pid, "born": _born(pid)}})

    def log(self, name: str) -> Path:
        """Where the output of ``name`` goes."""
        return self._folder / f"{name}.log"

    def running(self) -> list[str]:
        """The names of those that still run."""
        return [name for name, known in self._read().items() if _is_alive(known)]

    def stop(self) -> list[str]:
        """Ask each process group to end, last started first, and kill what does not; the names of those that ran."""
        known = self._read()
        alive = [(name, one["pid"]) for name, one in reversed(known.items()) if _is_alive(one)]
        for _, pid in alive:
            _signal(pid, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        for name, pid in alive:
            while _is_alive(known[name]) and time.monotonic() < end:
                time.sleep(0.1)
            _signal(pid, signal.SIGKILL)  # also whatever of its group outlived it
        self._file.unlink(missing_ok=True)
        return [name for name, _ in alive]

    def _read(self) -> dict[str, dict[str, int]]:
        try:
            found: dict[str, dict[str, int]] = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        return found

    def _write(self, known: Mapping[str, Mapping[str, int]]) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(known))
        part.replace(self._file)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _is_alive(known: Mapping[str, int]) -> bool:
    born = _born(known["pid"])
    return born != 0 and born == known["born"]


def _born(pid: int) -> int:
    """Something that differs between two processes that had the same pid; 0 where there is none, or only its corpse."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return 0
        return _born_by_ps(pid)
    return 0 if fields[0] == "Z" else int(fields[19])


def _born_by_ps(pid: int) -> int:
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return _number_of(shown.strip()) if shown.strip() else 0


def _number_of(text: str) -> int:
    """A number that stays the same between processes, as ``hash`` does not."""
    return int.from_bytes(text.encode(), "big")
