"""Background processes are found again and stopped by pid, and only if they are still the same process."""

import json
import os
import sys
from pathlib import Path

from local.processes import Processes

SLEEP = [sys.executable, "-c", "print('awake', flush=True); import time; time.sleep(60)"]


def test_started_processes_are_known_to_a_later_command_and_stop(tmp_path: Path) -> None:
    Processes(tmp_path).start("sleeper", SLEEP, os.environ)
    assert Processes(tmp_path).running() == ["sleeper"]
    assert Processes(tmp_path).stop() == ["sleeper"]
    assert Processes(tmp_path).running() == []
    assert Processes(tmp_path).stop() == []


def test_one_that_does_not_listen_to_sigterm_is_killed(tmp_path: Path) -> None:
    from local import processes

    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(9)"
    )
    known = Processes(tmp_path)
    known.start("deaf", [sys.executable, "-c", deaf], os.environ)
    while "deaf" not in known.log("deaf").read_text():
        pass
    before, processes.STOP_SECONDS = processes.STOP_SECONDS, 0
    try:
        assert known.stop() == ["deaf"]
    finally:
        processes.STOP_SECONDS = before
    assert known.running() == []


def test_another_process_that_got_the_pid_is_left_alone(tmp_path: Path) -> None:
    """A reboot reuses pids: this test's own pid, said to be born at another time, must survive."""
    (tmp_path / "processes.json").write_text(json.dumps({"old": {"pid": os.getpid(), "born": 1}}))
    assert Processes(tmp_path).running() == []
    assert Processes(tmp_path).stop() == []
