"""The proxy itself: its control, its manners towards clients, its end; and the same as a process."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.replay import Replay
from tests.replay_tests.clients import at

LOGOUT = "https://data.krx.co.kr/comm/bldAttendant/getJsonData.cmd"
ROOT = Path(__file__).resolve().parents[2]


def test_the_control_speaks_plain_http(replay: Replay) -> None:
    control = f"http://127.0.0.1:{replay.port}/__replay__"
    assert requests.post(f"{control}/clock", json={"now": "2026-01-05T09:00:00+09:00"}, timeout=5).ok
    assert requests.get(f"{control}/health", timeout=5).json() == {"status": "ok", "now": "2026-01-05T00:00:00+00:00"}
    assert requests.post(f"{control}/faults", json={"kind": "500", "source": "krx", "times": 1}, timeout=5).ok
    assert requests.get(LOGOUT, timeout=5).status_code == 500
    assert requests.get(f"{control}/counts", timeout=5).json() == {"krx": 1}
    assert requests.post(f"{control}/reset", timeout=5).ok
    assert replay.counts == {}


@pytest.mark.parametrize("given", [{"now": "2026-01-05T09:00:00"}, {"now": "soon"}, {}])
def test_a_clock_without_a_time_zone_is_refused(replay: Replay, given: dict[str, str]) -> None:
    answer = requests.post(f"http://127.0.0.1:{replay.port}/__replay__/clock", json=given, timeout=5)
    assert answer.status_code == 400


@pytest.mark.parametrize("url", ["http://example.com/", "https://example.com/"])
def test_nobody_else_is_there(replay: Replay, url: str) -> None:
    if url.startswith("https"):
        with pytest.raises(requests.exceptions.ProxyError, match="502"):
            requests.get(url, timeout=5)
    else:
        assert requests.get(url, timeout=5).status_code == 502


def test_many_clients_at_once(replay: Replay) -> None:
    with ThreadPoolExecutor(16) as clients:
        codes = list(clients.map(lambda _: requests.get(LOGOUT, timeout=20).status_code, range(100)))
    assert codes == [400] * 100
    assert replay.counts == {"krx": 100}


def test_one_connection_serves_many_requests(replay: Replay) -> None:
    before = threading.active_count()
    with requests.Session() as session:
        for _ in range(20):
            assert session.get(LOGOUT, timeout=5).text == "LOGOUT"
        assert threading.active_count() <= before + 1


def test_a_client_that_goes_away_is_no_error(replay: Replay, capfd: pytest.CaptureFixture[str]) -> None:
    for words in (b"", b"GET", b"CONNECT data.krx.co.kr:443 HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\xff"):
        with socket.create_connection(("127.0.0.1", replay.port)) as client:
            client.sendall(words)
    assert requests.get(LOGOUT, timeout=5).status_code == 400
    assert capfd.readouterr() == ("", "")


def test_stopping_ends_held_connections_and_frees_the_port(replay: Replay) -> None:
    before = set(threading.enumerate())
    other = Replay([], at("2026-01-05T00:00")).start()
    ca_file = Path(other.env["SSL_CERT_FILE"])
    other.fault("timeout")
    with socket.create_connection(("127.0.0.1", other.port)) as client:
        client.sendall(b"GET http://data.krx.co.kr/ HTTP/1.1\r\n\r\n")
        tunnel = socket.create_connection(("127.0.0.1", other.port))
        tunnel.sendall(b"CONNECT data.krx.co.kr:443 HTTP/1.1\r\n\r\n")
        assert tunnel.recv(12) == b"HTTP/1.1 200"  # and no handshake follows
        while not other.counts:
            time.sleep(0.01)
        began = time.monotonic()
        other.stop()
        assert time.monotonic() - began < 2
        tunnel.close()
        assert client.recv(1) == b""
    assert not ca_file.exists()
    assert set(threading.enumerate()) <= before
    Replay([], at("2026-01-05T00:00"), port=other.port).start().stop()


def test_a_port_that_is_taken_is_an_error(replay: Replay) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Replay([], at("2026-01-05T00:00"), port=taken.getsockname()[1])


def test_a_folder_that_is_not_there_is_named(replay: Replay, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        replay.load(tmp_path / "nowhere")


def test_as_a_process(tmp_path: Path) -> None:
    env_file = tmp_path / "replay.env"
    command = [sys.executable, "-m", "tests.replay", "--data", str(tmp_path), "--now", "2026-03-20T12:00:00+00:00"]
    with subprocess.Popen(
        [*command, "--env-file", str(env_file)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("replay ready on 127.0.0.1:")
        ask = f"import requests; print(requests.get('{LOGOUT}', timeout=10).text)"
        script = f'. {env_file} && {sys.executable} -c "{ask}"'
        asked = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
        )
        assert asked.stdout == "LOGOUT\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
