"""Every test's world: one replay for the whole run, in the environment before anything imports curl_cffi."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fixtures import outside
from tests.replay import Replay

pytest_plugins = ["tests.fixtures.airflow", "tests.fixtures.database", "tests.fixtures.market"]

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

assert outside.ENVIRONMENT  # kept before the next lines change it
_REPLAY = Replay([], NOW).start()
os.environ.update(_REPLAY.env)


def pytest_unconfigure() -> None:
    """Stop the replay when the last test is over."""
    _REPLAY.stop()


@pytest.fixture
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    """The outside world with no data, no faults, no counts, and its clock at ``NOW``; yfinance remembers nothing."""
    _REPLAY.reset()
    _REPLAY.load()
    _REPLAY.move_clock(NOW)
    _forget_yahoo(tmp_path_factory.mktemp("yfinance"))
    yield _REPLAY
    _REPLAY.reset()


@pytest.fixture
def shared_data() -> Path:
    """Recorded data beside the checkout; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip(f"recorded data is not at {SHARED}")
    return SHARED


def _forget_yahoo(cache: Path) -> None:
    """Give yfinance an empty cache: it remembers answers in the process, time zones and cookies in sqlite files."""
    import yfinance
    from yfinance.data import YfData

    yfinance.set_tz_cache_location(str(cache))
    YfData().cache_get.cache_clear()
