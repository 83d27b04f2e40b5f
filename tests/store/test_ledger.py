"""The ledger: one row per attempt, and the three invariants between it and the data."""

from typing import LiteralString

import pytest

from include.insight_invest import __version__
from include.insight_invest.store import ledger
from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import Attempt, broken_invariants, close_lost
from include.insight_invest.store.load import Counts
from include.insight_invest.store.read import holdings, last_runs
from tests.store.rows import (
    actions,
    bars,
    end_run,
    instant,
    load,
    load_series,
    macro,
    start_run,
    ticker,
    vintages,
)

BAR = ("2026-03-18", 10.0, 12.0, 9.0, 11.0, 1000, "2026-03-18")
CORRECTED = ("2026-03-18", 10.0, 12.0, 9.0, 11.5, 1000, "2026-03-18")


def shard_run(connection: Connection, shard: tuple[int, int], job: str = "us-price") -> int:
    now = instant("2026-03-20 09")
    attempt = Attempt(job=job, shard=shard, trigger="test", as_of=now, session_date=None, started_at=now)
    return ledger.open_run(connection, attempt)


def statuses(connection: Connection) -> dict[object, object]:
    return dict(connection.execute("select run_id, status from tb_job_run").fetchall())  # type: ignore[arg-type]


def test_a_run_is_one_row_from_open_to_close(connection: Connection) -> None:
    attempt = Attempt(
        job="us-price",
        shard=(2, 4),
        trigger="scheduled",
        as_of=instant("2026-03-20 09"),
        session_date=instant("2026-03-19").date(),
        started_at=instant("2026-03-20 09:01"),
        options={"tickers": ["MSFT"]},
    )
    run_id = ledger.open_run(connection, attempt)
    ledger.add(connection, run_id, Counts(new=1, changed=2, unchanged=3, held=4, actions_new=5, actions_changed=6))
    ledger.add(
        connection, run_id, Counts(new=10, changed=20, unchanged=30, held=40, actions_new=50, actions_changed=60)
    )
    ledger.close_run(
        connection,
        run_id,
        status="over_budget",
        finished_at=instant("2026-03-20 09:02"),
        tickers={"updated": {"MSFT": None}, "failed": {"NVDA": "timed out"}},
        requests=7,
        error="1 of 2 tickers failed",
    )
    row = connection.execute(
        "select job, shard, status, trigger, version, as_of::text, session_date::text, options, started_at::text, "
        "finished_at::text, rows_new, rows_changed, rows_unchanged, rows_held, actions_new, actions_changed, requests, "
        "tickers, error from tb_job_run"
    ).fetchall()
    assert row == [
        (
            "us-price",
            "2/4",
            "over_budget",
            "scheduled",
            __version__,
            "2026-03-20 09:00:00+00",
            "2026-03-19",
            {"tickers": ["MSFT"]},
            "2026-03-20 09:01:00+00",
            "2026-03-20 09:02:00+00",
            11,
            22,
            33,
            44,
            55,
            66,
            7,
            {"updated": {"MSFT": None}, "failed": {"NVDA": "timed out"}},
            "1 of 2 tickers failed",
        )
    ]


def test_a_dead_run_is_closed_as_lost_by_the_next_one(connection: Connection) -> None:
    start_run(connection)
    assert close_lost(connection, "us-price", (1, 1), instant("2026-03-21 09")) == 1
    assert connection.execute("select status, finished_at::text, error from tb_job_run").fetchall() == [
        ("lost", "2026-03-21 09:00:00+00", "the run died; found by the next one")
    ]
    assert close_lost(connection, "us-price", (1, 1), instant("2026-03-22 09")) == 0


def test_a_shard_closes_its_own_dead_run_and_that_of_a_whole_run(connection: Connection) -> None:
    """Its lease says that these are dead; another shard, or another job, may be alive."""
    mine, whole = shard_run(connection, (1, 2)), shard_run(connection, (1, 1))
    other_shard, other_job = shard_run(connection, (2, 2)), shard_run(connection, (1, 2), "kr-price")
    done = shard_run(connection, (1, 2))
    end_run(connection, done)
    assert close_lost(connection, "us-price", (1, 2), instant("2026-03-21 09")) == 2
    assert statuses(connection) == {
        mine: "lost",
        whole: "lost",
        other_shard: "running",
        other_job: "running",
        done: "succeeded",
    }


def test_a_whole_run_closes_every_dead_shard(connection: Connection) -> None:
    shard_run(connection, (1, 2)), shard_run(connection, (3, 4))
    assert close_lost(connection, "us-price", (1, 1), instant("2026-03-21 09")) == 2


# The three invariants ----------------------------------------------------------------------------------------------


def run_everything(connection: Connection) -> None:
    """Runs 1 to 4: bars, a correction with a split, vintages, a run that changes nothing."""
    ticker(connection, "MSFT")
    macro(connection, "GDP")
    load(connection, bars(BAR))
    load(connection, bars(CORRECTED), actions(("2026-03-19", "split", 2.0, "2026-03-19")))
    load_series(connection, vintages(("2025-10-01", "2026-01-30", 30_000.0)))
    load(connection, bars(CORRECTED))


def test_ledger_and_data_agree_after_every_kind_of_run(connection: Connection) -> None:
    run_everything(connection)
    assert broken_invariants(connection, "us-price") == []
    assert broken_invariants(connection, "macro") == []


def test_a_job_that_never_ran_has_no_ledger_row(connection: Connection) -> None:
    assert broken_invariants(connection, "kr-price") == ["there is no ledger row of kr-price"]


@pytest.mark.parametrize("status", ["running", "lost"])
def test_a_run_that_did_not_end_is_found(connection: Connection, status: str) -> None:
    end_run(connection, start_run(connection))
    run_id = start_run(connection)
    if status == "lost":
        close_lost(connection, "us-price", (1, 1), instant("2026-03-21 09"))
    assert broken_invariants(connection, "us-price") == [
        f"the newest run of us-price ({run_id}) is {status}: it has not committed its ledger row"
    ]
    end_run(connection, start_run(connection)) if status == "lost" else end_run(connection, run_id)
    assert broken_invariants(connection, "us-price") == []


def test_a_shard_that_did_not_end_is_found_though_a_later_one_did(connection: Connection) -> None:
    dead = shard_run(connection, (1, 2))
    end_run(connection, shard_run(connection, (2, 2)))
    assert broken_invariants(connection, "us-price") == [
        f"the newest run of us-price ({dead}) is running: it has not committed its ledger row"
    ]


def test_a_dead_shard_of_an_earlier_division_is_history(connection: Connection) -> None:
    shard_run(connection, (3, 4))
    end_run(connection, shard_run(connection, (1, 2)))
    assert broken_invariants(connection, "us-price") == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("delete from tb_bar", "run 2 of us-price says it wrote 1 rows, the tables have 0"),
        ("delete from tb_bar_revision", "run 1 of us-price says it wrote 1 rows, the tables have 0"),
        ("delete from tb_macro_vintage", "run 3 of macro says it wrote 1 rows, the tables have 0"),
        (
            "insert into tb_bar select meta_id, trade_date + 1, open, high, low, close, volume, basis_date, source, "
            "currency, observed_at, final, run_id from tb_bar",
            "run 2 of us-price says it wrote 1 rows, the tables have 2",
        ),
    ],
)
def test_a_ledger_row_without_its_data_is_found(connection: Connection, planted: LiteralString, found: str) -> None:
    run_everything(connection)
    connection.execute(planted)
    assert broken_invariants(connection, "us-price") == [found]


@pytest.mark.parametrize(
    ("run_id", "found"),
    [
        (1, ["tb_bar_revision has rows of run 1, which the ledger does not know"]),
        (
            2,
            [
                "tb_action has rows of run 2, which the ledger does not know",
                "tb_bar has rows of run 2, which the ledger does not know",
            ],
        ),
        (3, ["tb_macro_vintage has rows of run 3, which the ledger does not know"]),
    ],
)
def test_data_without_a_ledger_row_is_found(connection: Connection, run_id: int, found: list[str]) -> None:
    run_everything(connection)
    connection.execute("delete from tb_job_run where run_id = %s", [run_id])
    assert sorted(broken_invariants(connection, "us-price")) == found


# What an operator asks ---------------------------------------------------------------------------------------------


def test_last_runs_gives_the_newest_of_each_job(connection: Connection) -> None:
    run_everything(connection)
    ledger.close_run(
        connection,
        4,
        status="succeeded",
        finished_at=instant("2026-03-20 09:00:02"),
        tickers={"unchanged": {"MSFT": None, "NVDA": None}, "failed": {"TSLA": "timed out"}},
        requests=3,
        error=None,
    )
    newest = last_runs(connection)
    assert {job: run.run_id for job, run in newest.items()} == {"macro": 3, "us-price": 4}
    us = newest["us-price"]
    assert (us.status, us.seconds, us.tickers, us.rows_new, us.rows_unchanged, us.requests) == (
        "succeeded",
        2.0,
        3,
        0,
        1,
        3,
    )


def test_holdings_count_tickers_with_and_without_bars(connection: Connection) -> None:
    run_everything(connection)
    ticker(connection, "NVDA")
    ticker(connection, "005930", "KR")
    macro(connection, "CPIAUCSL")
    assert [(item.name, item.items, item.items_with_data, str(item.newest)) for item in holdings(connection)] == [
        ("KR", 1, 0, "None"),
        ("US", 2, 1, "2026-03-18"),
        ("macro", 2, 1, "2025-10-01"),
    ]
