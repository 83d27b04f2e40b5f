"""Up to where a job's market is settled, whatever parts its runs come in."""

import pytest

from include.insight_invest.store import ledger
from include.insight_invest.store.coverage import settled
from include.insight_invest.store.database import Connection
from tests.store.rows import instant


def ran(connection: Connection, shard: str, day: str, status: str = "succeeded") -> None:
    index, count = map(int, shard.split("/"))
    now = instant(f"2026-01-{day} 20")
    attempt = ledger.Attempt(
        job="us-price", shard=(index, count), trigger="test", as_of=now, session_date=now.date(), started_at=now
    )
    run_id = ledger.open_run(connection, attempt)
    ledger.close_run(connection, run_id, status=status, finished_at=now, tickers={}, requests=0, error=None)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ("", ""),
        ("1/1 08, 1/1 09", "1/1 09"),
        ("1/2 09", ""),  # of the other half nothing is known
        ("1/1 08, 1/2 09", "1/1 08"),
        ("1/1 08, 1/2 09, 2/2 09", "1/2 09, 2/2 09"),
        ("1/2 08, 2/2 08, 1/2 09", "1/2 09, 2/2 08"),
        ("1/2 06, 2/2 06, 1/1 08, 1/2 09", "1/1 08"),  # back to an earlier division, of which half is old
    ],
)
def test_the_division_that_is_farthest_in_all_its_parts_tells(connection: Connection, runs: str, expected: str) -> None:
    """Shard and day of January of each run that succeeded; of each shard up to where."""
    done = [run.split() for run in runs.split(", ") if run]
    for shard, day in done:
        ran(connection, shard, day)
    ran(connection, "1/1", "12", status="failed")
    found = settled(connection, "us-price")
    assert ", ".join(f"{one.shard[0]}/{one.shard[1]} {one.until:%d}" for one in found) == expected
    assert {one.since.day for one in found} == ({min(int(day) for _, day in done)} if found else set())
