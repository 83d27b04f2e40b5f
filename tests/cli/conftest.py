"""The command line, in this process (quick) or as one of its own (what a user has)."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from include.insight_invest.cli import app
from tests.fixtures.market import KEY, THURSDAY, Market
from tests.replay_tests.clients import at

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line of stdout."""
        return self.out.splitlines()[-1]


Command = Callable[..., Said]


@pytest.fixture
def cli(market: Market, kept_logging: None) -> Iterator[Command]:
    """Call the command line: ``cli("--job", "macro", FRED_API_KEY=None)``; a variable that is None is unset.

    After each call neither the database's password nor the key may have been said.
    """

    def call(*arguments: str, **env: str | None) -> Said:
        environment = {**market.env, **env}
        result = CliRunner().invoke(app, list(arguments), env=environment, catch_exceptions=False)
        return _innocent(market, Said(result.exit_code, result.stdout, result.stderr))

    market.replay.move_clock(at("2026-01-08T12:00"))
    yield call
    logging.captureWarnings(False)


@pytest.fixture
def process(market: Market) -> Command:
    """The same as a process: ``python run_scheduled_job.py``."""

    def call(*arguments: str, **env: str | None) -> Said:
        environment = {name: value for name, value in {**market.env, **env}.items() if value is not None}
        command = [sys.executable, "run_scheduled_job.py", *arguments]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return _innocent(market, Said(done.returncode, done.stdout, done.stderr))

    market.replay.move_clock(at("2026-01-08T12:00"))
    return call


def job(name: str, *arguments: str) -> tuple[str, ...]:
    """Arguments of a run of Thursday."""
    return ("--job", name, "--as-of", THURSDAY, *arguments)


def _innocent(market: Market, said: Said) -> Said:
    password = market.url.split(":")[2].split("@")[0]
    for secret in (password, KEY):
        assert secret not in said.out + said.err
    return said
