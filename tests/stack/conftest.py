"""One Airflow for all tests here, and the demonstration's world around it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import demo_data
from tests.fixtures.database import Server
from tests.fixtures.market import Market
from tests.replay import Replay
from tests.stack.airflow import Stack
from tests.stack.golden import AT, follow_demo


@pytest.fixture(scope="package")
def stack(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running Airflow whose Dags update the test's ``database``; INSIGHT_TEST_EXECUTOR=celery gives it Celery."""
    metadata = postgres_server.create("airflow")
    made = Stack(
        tmp_path_factory.mktemp("stack"),
        database=postgres_server.recycle(),
        metadata=metadata,
        with_celery=os.environ.get("INSIGHT_TEST_EXECUTOR") == "celery",
    )
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="package")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's data."""
    return demo_data.build(tmp_path_factory.mktemp("demo") / "data")


@pytest.fixture(autouse=True)
def no_runs(stack: Stack) -> None:
    """What another test has run is forgotten."""
    stack.forget()


@pytest.fixture
def demo(stack: Stack, database: str, demo_folder: Path, replay: Replay) -> Market:
    """The sources on the demonstration's day, and a database that follows its tickers and has no bar."""
    replay.load(demo_folder)
    replay.move_clock(AT)
    follow_demo(database, demo_folder)
    return Market(database, demo_folder, replay)
