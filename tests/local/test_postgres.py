"""The embedded PostgreSQL: started by anyone, killed at any time, and always back with its data."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local import postgres

REPOSITORY = Path(__file__).resolve().parents[2]
START = "import sys; from pathlib import Path; from local import postgres; print(postgres.start(Path(sys.argv[1])))"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "postgres"
    postgres.stop(tmp_path / "postgres")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A server that the tests only look at."""
    root = tmp_path_factory.mktemp("running") / "postgres"
    postgres.start(root)
    yield root
    postgres.stop(root)


def starter(root: Path) -> subprocess.Popen[str]:
    """Another process that starts the server of ``root`` and prints its URL."""
    return subprocess.Popen([sys.executable, "-c", START, str(root)], cwd=REPOSITORY, text=True, stdout=subprocess.PIPE)


def pid_of(root: Path) -> int:
    return int((root / "data" / "postmaster.pid").read_text().splitlines()[0])


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def test_start_twice_gives_one_server_and_the_same_url(running: Path) -> None:
    url = postgres.start(running)
    pid = pid_of(running)
    assert postgres.start(running) == url
    assert pid_of(running) == pid
    assert postgres.status(running) == f"127.0.0.1:{url.rsplit(':', 1)[1].removesuffix('/insight')}"


def test_the_server_is_durable_local_and_private(running: Path) -> None:
    url = postgres.start(running)
    settings: dict[object, object] = dict(rows(url, "SELECT name, setting FROM pg_settings"))  # type: ignore[arg-type]
    assert {name: settings[name] for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")} == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
    }
    assert settings["listen_addresses"] == "127.0.0.1"
    assert settings["server_encoding"] == "UTF8"
    assert rows(url, "SELECT DISTINCT auth_method FROM pg_hba_file_rules") == [("scram-sha-256",)]
    assert (running / "password").stat().st_mode & 0o777 == 0o600
    assert (running / "log").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's table of listening sockets")
def test_it_listens_on_127_0_0_1_only(running: Path) -> None:
    port = int(postgres.start(running).rsplit(":", 1)[1].removesuffix("/insight"))
    sockets = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()
    ]
    listening = [address for _, address, _, state, *_ in sockets if state == "0A" and address.endswith(f":{port:04X}")]
    assert listening == [f"0100007F:{port:04X}"]


def test_a_wrong_password_is_refused_on_the_port_and_on_the_socket(running: Path) -> None:
    url = postgres.start(running)
    port = url.rsplit(":", 1)[1].removesuffix("/insight")
    password = (running / "password").read_text()
    for host in ("127.0.0.1", str(running / "data")):
        options = f"host='{host}' port={port} user=insight dbname=insight"
        with psycopg.connect(options, password=password) as connection:
            assert connection.info.server_version >= 180_000
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(options, password="guess")


def test_four_processes_at_once_get_one_server(root: Path) -> None:
    urls = {process.communicate(timeout=60)[0] for process in [starter(root) for _ in range(4)]}
    assert urls == {postgres.start(root) + "\n"}


def test_data_survives_a_killed_server_even_under_another_live_pid(root: Path) -> None:
    url = postgres.start(root)
    rows(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(pid_of(root), signal.SIGKILL)
    pid_file = root / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines(keepends=True)

    assert rows(postgres.start(root), "SELECT * FROM kept") == [(42,)]

    # The same after a reboot: the number in the file is now a process of somebody else, which must not be touched.
    os.kill(pid_of(root), signal.SIGKILL)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pid_file.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))
        assert postgres.status(root) is None
        assert rows(postgres.start(root), "SELECT * FROM kept") == [(42,)]
        assert stranger.poll() is None
        stranger.kill()


def test_stop_leaves_a_stranger_with_the_stale_pid_alone(root: Path) -> None:
    postgres.start(root)
    assert postgres.stop(root)
    assert not postgres.stop(root)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (root / "data" / "postmaster.pid").write_text(f"{stranger.pid}\n{root / 'data'}\n")
        assert not postgres.stop(root)
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("after", [0.3, 0.7])
def test_a_killed_starter_does_no_harm(root: Path, after: float) -> None:
    with starter(root) as process:
        time.sleep(after)
        process.kill()
    assert rows(postgres.start(root), "SELECT 1") == [(1,)]


def test_the_server_outlives_its_starter(root: Path) -> None:
    url = starter(root).communicate(timeout=60)[0].strip()
    assert rows(url, "SELECT 1") == [(1,)]


def test_the_port_is_kept_and_given_up_only_when_it_is_taken(root: Path) -> None:
    url = postgres.start(root)
    postgres.stop(root)
    assert postgres.start(root) == url
    postgres.stop(root)
    port = int((root / "port").read_text())
    with subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)], cwd=root / "data",
                          stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as other:  # fmt: skip
        while not _is_open(port):
            time.sleep(0.05)
        assert postgres.start(root) != url
        other.kill()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")
def test_root_runs_it_as_another_account_and_changes_no_folder_above(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)  # like /root
    url = postgres.start(closed / "postgres")
    process = Path(f"/proc/{pid_of(closed / 'postgres')}")
    assert process.stat().st_uid != 0
    assert (closed.stat().st_mode & 0o777, closed.stat().st_uid) == (0o700, 0)
    assert rows(url, "SELECT 1") == [(1,)]
    postgres.stop(closed / "postgres")
