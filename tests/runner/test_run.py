"""One run: what it stores, what it reports, what the ledger says; and a second one that finds nothing to do."""

import json

import pytest

from include.insight_invest.store.load import Change
from tests.fixtures.market import Market

FRIDAY = "2026-01-09T12:00+00:00"


def test_us_bars_are_stored_in_the_shares_of_their_session(market: Market) -> None:
    report = market.run()
    assert (report.status, report.exit_code, str(report.session), report.source) == (
        "succeeded",
        0,
        "2026-01-07",
        "yahoo",
    )
    assert market.bars() == [
        ("ACME", "2026-01-05", 10.0, 10.5, 9.75, 10.25, 4000, "2026-01-07", "yahoo"),
        ("ACME", "2026-01-06", 10.25, 11.0, 10.0, 11.0, 8000, "2026-01-07", "yahoo"),
        ("ACME", "2026-01-07", 11.0, 12.0, 10.75, 11.5, 3000, "2026-01-07", "yahoo"),
        ("BOLT", "2026-01-05", 50.0, 51.0, 49.0, 50.5, 100, "2026-01-07", "yahoo"),
        ("BOLT", "2026-01-06", 50.5, 52.0, 50.0, 51.5, 200, "2026-01-07", "yahoo"),
        ("BOLT", "2026-01-07", 51.5, 53.0, 51.0, 52.5, 300, "2026-01-07", "yahoo"),
    ]
    assert market.rows("select ex_date::text, kind, value, basis_date::text from tb_action order by 1") == [
        ("2026-01-06", "dividend", 0.05, "2026-01-07"),
        ("2026-01-07", "split", 4.0, "2026-01-07"),
    ]


def test_the_report_says_what_the_database_holds(market: Market) -> None:
    market.follow("NOPE")
    report = market.run()
    assert report.tickers == {"empty": 1, "updated": 2}
    assert report.rows.model_dump() == {"new": 6, "changed": 0, "unchanged": 0, "held_back": 0}
    assert (report.actions_new, report.actions_changed) == (2, 0)
    assert report.requests == market.replay.counts["yahoo"]
    assert [problem.model_dump() for problem in report.problems] == [
        {"ticker": "NOPE", "state": "empty", "reason": "Yahoo has no prices for NOPE"}
    ]
    (row,) = market.ledger()
    assert row | {"started_at": "", "finished_at": ""} == {
        "run_id": report.run_id,
        "job": "us-price",
        "shard": "1/1",
        "status": "succeeded",
        "trigger": "cli",
        "version": row["version"],
        "as_of": "2026-01-08T12:00:00+00:00",
        "session_date": "2026-01-07",
        "options": {},
        "started_at": "",
        "finished_at": "",
        "rows_new": 6,
        "rows_changed": 0,
        "rows_unchanged": 0,
        "rows_held": 0,
        "actions_new": 2,
        "actions_changed": 0,
        "requests": report.requests,
        "tickers": {"empty": {"NOPE": "Yahoo has no prices for NOPE"}, "updated": {"ACME": None, "BOLT": None}},
        "error": None,
        "notes": [],
    }
    assert market.rows("select count(*) from tb_bar") == [(report.rows.new,)]
    assert row["finished_at"] >= row["started_at"]


@pytest.mark.parametrize(
    ("job", "unchanged", "tickers"),
    [("us-price", 6, {"unchanged": 2}), ("kr-price", 3, {"unchanged": 3}), ("macro", 3, {"unchanged": 1})],
)
def test_a_second_run_writes_its_ledger_row_and_nothing_else(
    market: Market, job: str, unchanged: int, tickers: dict[str, int]
) -> None:
    first = market.run(job)
    assert first.rows.new > 0
    before = market.dump("tb_job_run")
    second = market.run(job)
    assert market.dump("tb_job_run") == before
    assert second.rows.model_dump() == {"new": 0, "changed": 0, "unchanged": unchanged, "held_back": 0}
    assert second.tickers == tickers
    assert [row["status"] for row in market.ledger()] == ["succeeded", "succeeded"]
    market.audit(job)


def test_the_next_day_adds_a_bar_and_reads_the_last_ones_again(market: Market) -> None:
    market.run()
    report = market.run(as_of=FRIDAY)
    assert report.rows.model_dump() == {"new": 2, "changed": 0, "unchanged": 6, "held_back": 0}
    assert market.bars()[3] == ("ACME", "2026-01-08", 11.5, 12.5, 11.25, 12.0, 2500, "2026-01-08", "yahoo")


def test_a_bar_that_cannot_be_is_held_back(market: Market) -> None:
    market.replay.fault("null_bars", match="/chart/BOLT")
    report = market.run()
    assert report.rows.model_dump() == {"new": 5, "changed": 0, "unchanged": 0, "held_back": 1}
    assert market.rows("select ticker, trade_date::text, reason, status from tb_quarantine") == [
        ("BOLT", "2026-01-07", "no close", "held")
    ]
    market.audit()


def test_macro_keeps_every_vintage(market: Market) -> None:
    report = market.run("macro")
    assert market.rows(
        "select base_date::text, realtime_start::text, value, source from tb_macro_vintage order by 1, 2"
    ) == [
        ("2025-10-01", "2025-11-05", 3.0, "fred"),
        ("2025-10-01", "2025-12-05", 3.1, "fred"),
        ("2025-11-01", "2025-12-05", None, "fred"),
        ("2025-12-01", "2026-01-07", 3.3, "fred"),
    ]
    assert (report.tickers, report.rows.new, report.requests, report.source) == ({"updated": 1}, 4, 2, "fred")


class TestDryRun:
    """It fetches and checks everything, says the exact difference, and writes nothing at all."""

    @pytest.mark.parametrize("job", ["us-price", "kr-price", "macro"])
    def test_it_writes_nothing(self, market: Market, job: str) -> None:
        before = market.dump()
        report = market.run(job, dry_run=True)
        assert market.dump() == before
        assert (report.run_id, report.dry_run, report.exit_code) == (None, True, 0)
        assert report.rows.new > 0

    @pytest.mark.parametrize("job", ["us-price", "kr-price", "macro"])
    def test_its_difference_is_what_the_real_run_writes(self, market: Market, job: str) -> None:
        said: list[Change] = []
        dry = market.run(job, dry_run=True, on_change=said.append)
        real = market.run(job)
        assert dry.rows == real.rows
        assert dry.actions_new == real.actions_new
        assert sorted(_written(market)) == sorted(
            (change.table, change.key, str(change.day), change.after.get("close", change.after.get("value")))
            for change in said
        )

    def test_a_change_shows_both_values(self, market: Market) -> None:
        market.run()
        market.rows("update tb_bar set close = 52, volume = 299 where meta_id = 2 and trade_date = '2026-01-07'")
        said: list[Change] = []
        market.run(dry_run=True, on_change=said.append)
        assert [str(change) for change in said] == ["~ tb_bar BOLT 2026-01-07 close 52.0 -> 52.5, volume 299 -> 300"]
        market.rows("delete from tb_bar where meta_id = 2 and trade_date = '2026-01-07'")
        market.run(dry_run=True, on_change=said.append)
        assert str(said[-1]) == "+ tb_bar BOLT 2026-01-07 open=51.5 high=53.0 low=51.0 close=52.5 volume=300"


def _written(market: Market) -> list[tuple[object, ...]]:
    """Everything stored, as a dry run names it."""
    return market.rows(
        "select 'tb_bar', ticker, trade_date::text, close from tb_bar join tb_meta using (meta_id) "
        "union all select 'tb_action', ticker || ' ' || kind, ex_date::text, value "
        "from tb_action join tb_meta using (meta_id) "
        "union all select 'tb_macro_vintage', fred, base_date::text, value "
        "from tb_macro_vintage join tb_macro using (macro_id)"
    )


def test_a_report_is_json_and_a_sentence(market: Market) -> None:
    report = market.run()
    assert json.loads(report.model_dump_json())["rows"]["new"] == 6
    assert report.summary() == (
        "us-price succeeded: session 2026-01-07, 2 updated; rows 6 new, 0 changed, 0 unchanged, 0 held back; "
        f"{report.requests} requests, {report.seconds:.1f} s"
    )
