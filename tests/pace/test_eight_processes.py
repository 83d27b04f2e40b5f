"""Eight processes that ask one source at once send no more than one of them would."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg

from tests.fixtures.airflow import ROOT
from tests.fixtures.market import ACME
from tests.folders import write_chart
from tests.replay import Replay

PROCESSES = 8
TICKERS = [f"ACM{letter}" for letter in "ABCDEFGHIJKL"]
RATE = 20
# A turn is exact to the microsecond, but whoever has it must still wake up and send: eight processes of four threads,
# on two cores and beside a server in Python. What is this late falls together with what is on time.
LATE_SECONDS = 1.0


def allowed(window: float) -> int:
    """How many requests may arrive in ``window`` seconds: those whose turn was in it, or LATE_SECONDS before."""
    return int(RATE * (window + LATE_SECONDS)) + 1


def most_within(instants: Sequence[float], window: float) -> int:
    """The largest number of ``instants`` (ascending, in seconds) in any window of this length."""
    most = first = 0
    for last, instant in enumerate(instants):
        while instant - instants[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_the_most_in_a_window() -> None:
    assert [most_within([0.0, 0.5, 0.9, 1.0, 1.4, 3.0], window) for window in (0.2, 1.0, 5.0)] == [2, 4, 6]


def test_no_window_is_exceeded(database: str, replay: Replay, tmp_path: Path) -> None:
    for ticker in TICKERS:
        write_chart(tmp_path, ticker, ACME)
    replay.load(tmp_path)
    env = os.environ | {"DATABASE_URL": database, "INSIGHT_YAHOO_RATE": str(RATE), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.pace.asker", *TICKERS]
    pipe = subprocess.PIPE
    askers = [
        subprocess.Popen(command, env=env, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(PROCESSES)
    ]
    try:
        assert {asker.stdout.readline() for asker in askers if asker.stdout} == {"ready\n"}
        for asker in askers:
            assert asker.stdin
            asker.stdin.write("\n")
            asker.stdin.flush()
        answered = [asker.communicate()[0] for asker in askers]
    finally:
        for asker in askers:
            asker.kill()
            asker.wait()
    assert answered == [f"{len(TICKERS)}\n"] * PROCESSES
    arrived = [instant for source, instant in replay.arrivals if source == "yahoo"]
    assert len(arrived) == PROCESSES * (len(TICKERS) + 2)  # each signs in with two requests
    found = {window: most_within(arrived, window) for window in (1.0, 5.0)}
    print(f"{len(arrived)} requests in {arrived[-1] - arrived[0]:.2f} s at {RATE}/s; most in a window: {found}")
    assert {window: most for window, most in found.items() if most > allowed(window)} == {}
    with psycopg.connect(database) as connection:
        counted = connection.execute("select source, requests from insight_request_pace").fetchall()
    assert counted == [("yahoo", len(arrived))]
