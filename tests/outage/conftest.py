"""A market whose database has a server of its own, which a test may stop."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from include.insight_invest.store.migrate import upgrade
from local import postgres
from tests.fixtures.market import Market, world
from tests.replay import Replay


@dataclass(frozen=True)
class OwnServer:
    """A PostgreSQL that is one test module's; ``url`` is its database at this version's schema."""

    root: Path
    url: str

    def stop(self) -> None:
        """As when the machine fails: nothing is said to anybody, nothing is written."""
        postgres._run(self.root, "pg_ctl", "stop", "-D", str(self.root / "data"), "-m", "immediate", "-w")

    def start(self) -> None:
        """Come back at the same port, recovered."""
        assert postgres.start(self.root) == self.url


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """A second PostgreSQL."""
    root = tmp_path_factory.mktemp("own")
    url = postgres.start(root)
    upgrade(url)
    yield OwnServer(root, url)
    postgres.stop(root)


@pytest.fixture
def own_market(own_server: OwnServer, replay: Replay, tmp_path: Path) -> Market:
    """The market of ``market`` in ``own_server``."""
    own_server.start()
    empty(own_server.url)
    return world(own_server.url, tmp_path / "world", replay)


def empty(url: str) -> None:
    """Take every row out, and begin all numbers at 1."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "select string_agg(oid::regclass::text, ', ') from pg_class where relkind = 'r' "
            "and relnamespace = 'public'::regnamespace and relname <> 'insight_schema_version'"
        ).fetchone()
        assert row
        connection.execute(f"truncate {row[0]} restart identity cascade".encode())
