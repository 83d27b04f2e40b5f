"""The campaign's stage in the test run's PostgreSQL, with sources of its own."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.chaos.scenarios import THURSDAY
from tests.chaos.stage import Stage
from tests.chaos.victims import Victims
from tests.fixtures.database import Server
from tests.replay import Replay


@pytest.fixture(scope="package")
def stage(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Where runs are disturbed."""
    folder = tmp_path_factory.mktemp("chaos")
    with Replay([], datetime.fromisoformat(THURSDAY)) as replay, Victims(folder, replay.env) as victims:
        yield Stage(postgres_server.url("insight"), replay, victims, folder)
