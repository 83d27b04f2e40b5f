"""How the outside world is called: the pace, the retries, the time-out, and what a library prints."""

import logging
import socket
import threading
import time

import pytest

from include.insight_invest.errors import NotFound, SourceError, SourceUnavailable, Throttled
from include.insight_invest.sources.calling import Pace, quiet, retrying, socket_timeout
from tests.sources.asking import fast


def test_a_pace_holds_over_threads() -> None:
    pace, moments = Pace("yahoo", 50), list[float]()

    def call() -> None:
        pace.wait()
        moments.append(time.monotonic())

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.095 <= max(moments) - min(moments) < 0.5  # five intervals of 20 ms


def test_a_pace_does_not_save_up_for_later() -> None:
    pace = Pace("yahoo", 20)
    pace.wait()
    time.sleep(0.12)
    started = time.monotonic()
    for _ in range(3):
        pace.wait()
    assert time.monotonic() - started >= 0.095


class Failing:
    """A call that raises ``errors`` one after another, and then answers."""

    def __init__(self, *errors: SourceError) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def test_what_is_unavailable_is_called_again() -> None:
    call = Failing(SourceUnavailable("down"), SourceUnavailable("still down"))
    assert retrying(call, fast(attempts=3), what="it") == "answer"
    assert call.calls == 3


def test_the_last_attempts_error_is_raised() -> None:
    call = Failing(SourceUnavailable("down"), SourceUnavailable("still down"))
    with pytest.raises(SourceUnavailable, match="still down"):
        retrying(call, fast(attempts=2), what="it")


@pytest.mark.parametrize("error", [Throttled("slower"), NotFound("nothing")])
def test_an_answer_is_not_asked_for_again(error: SourceError) -> None:
    call = Failing(error)
    with pytest.raises(type(error)):
        retrying(call, fast(attempts=3), what="it")
    assert call.calls == 1


def test_each_retry_is_a_log_line_and_waits_longer(caplog: pytest.LogCaptureFixture) -> None:
    call = Failing(*[SourceUnavailable("down")] * 3)
    started = time.monotonic()
    with caplog.at_level(logging.WARNING):
        retrying(call, fast(attempts=4, retry_wait=0.02), what="it")
    assert time.monotonic() - started >= 0.02 + 0.04 + 0.08
    assert [record.message.split(", again")[0] for record in caplog.records] == [
        f"it: down; attempt {number} of 4" for number in (1, 2, 3)
    ]


def test_a_socket_time_out_ends_with_its_block() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket_timeout(0.05),
        socket.create_connection(server.getsockname()) as client,
        pytest.raises(TimeoutError),
    ):
        client.recv(1)
    assert socket.getdefaulttimeout() is None


def test_what_a_library_prints_goes_to_the_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def stop() -> None:
        with quiet("the library"):
            print("x" * 1000)
            raise ValueError("stops")

    with quiet("the library"):
        print("invalid symbol")
    with pytest.raises(ValueError, match="stops"):
        stop()
    assert capsys.readouterr().out == ""
    assert [record.message for record in caplog.records] == [
        "the library says: invalid symbol",
        f"the library says: {'x' * 500}",
    ]
