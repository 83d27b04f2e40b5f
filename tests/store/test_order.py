"""Whatever comes in whatever order: tb_bar against a model of a dictionary."""

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import broken_invariants
from tests.store.rows import bars, counted, load, stored_bars, ticker

RANK = {"krx": 0, "naver": 1, "yahoo": 2}
DAYS = ("2026-03-17", "2026-03-18", "2026-03-19")


@dataclass(frozen=True)
class Batch:
    """What one source says of some days: {day: close}."""

    source: str
    closes: tuple[tuple[str, int], ...]


batches = st.builds(
    Batch,
    source=st.sampled_from(sorted(RANK)),
    closes=st.dictionaries(st.sampled_from(DAYS), st.integers(1, 3), min_size=1).map(lambda days: tuple(days.items())),
)


def model(history: list[Batch]) -> tuple[dict[str, tuple[int, str]], list[tuple[int, int, int]]]:
    """{day: (close, source)} at the end, and (new, changed, unchanged) of each batch."""
    known: dict[str, tuple[int, str]] = {}
    counts = []
    for batch in history:
        new = changed = 0
        for day, close in batch.closes:
            if day not in known:
                new += 1
                known[day] = (close, batch.source)
            elif (known[day][0] != close and RANK[batch.source] <= RANK[known[day][1]]) or (
                # Yahoo only stands in: the others' row takes its place, also where it says the same
                known[day][1] == "yahoo" != batch.source
            ):
                changed += 1
                known[day] = (close, batch.source)
        counts.append((new, changed, len(batch.closes) - new - changed))
    return known, counts


@pytest.fixture(autouse=True)
def listed(connection: Connection) -> None:
    ticker(connection, "005930", "KR")


def wipe(connection: Connection) -> None:
    connection.execute("truncate tb_bar, tb_bar_revision, tb_job_run restart identity")


def load_batch(connection: Connection, batch: Batch) -> tuple[int, int, int]:
    rows = [(day, close, close, close, close, 1000, "2026-03-19") for day, close in batch.closes]
    return counted(load(connection, bars(*rows), source=batch.source))


def stored(connection: Connection) -> dict[str, tuple[int, str]]:
    return {row[0]: (row[4], row[7]) for row in stored_bars(connection)}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(history=st.lists(batches, min_size=1, max_size=6))
def test_any_sequence_of_batches_ends_as_the_model_says(connection: Connection, history: list[Batch]) -> None:
    wipe(connection)
    expected, counts = model(history)
    assert [load_batch(connection, batch) for batch in history] == counts
    assert stored(connection) == expected
    again = [load_batch(connection, batch) for batch in history[-1:]]
    assert again == [(0, 0, len(history[-1].closes))]
    assert broken_invariants(connection, "us-price") == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=st.data())
def test_sources_that_each_say_one_thing_end_the_same_in_any_order(connection: Connection, data: st.DataObject) -> None:
    """Each source has its own close of each day: order and repetition do not matter, only rank does."""
    says = {source: {day: 10 * (rank + 1) + n for n, day in enumerate(DAYS)} for source, rank in RANK.items()}
    parts = st.builds(
        lambda source, days: Batch(source, tuple((day, says[source][day]) for day in days)),
        st.sampled_from(sorted(RANK)),
        st.sets(st.sampled_from(DAYS), min_size=1).map(sorted),
    )
    once = data.draw(st.lists(parts, min_size=1, max_size=4))
    shuffled = data.draw(st.permutations(once + data.draw(st.lists(st.sampled_from(once), max_size=2))))
    ends = []
    for history in (once, shuffled):
        wipe(connection)
        for batch in history:
            load_batch(connection, batch)
        ends.append(stored(connection))
    best = {
        day: min((RANK[batch.source], batch.source) for batch in once if day in dict(batch.closes))[1]
        for day in {day for batch in once for day, _ in batch.closes}
    }
    assert ends[0] == ends[1] == {day: (says[source][day], source) for day, source in best.items()}
