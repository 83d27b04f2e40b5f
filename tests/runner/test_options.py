"""What a run can be asked: another day, a range, a part of the universe, everything again."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from include.insight_invest import clock
from include.insight_invest.errors import UsageError
from include.insight_invest.jobs import JOBS
from include.insight_invest.report import Report
from include.insight_invest.runner import RunOptions, run
from include.insight_invest.sources.base import State
from include.insight_invest.store.universe import in_shard
from tests.fixtures.market import THURSDAY, Market
from tests.folders import write_chart

WEDNESDAY = "2026-01-07T12:00+00:00"  # New York's last session was Tuesday's, before ACME's split
FRIDAY = "2026-01-09T12:00+00:00"

TUESDAY_BARS = [
    ("ACME", "2026-01-05", 40.0, 42.0, 39.0, 41.0, 1000, "2026-01-06", "yahoo"),
    ("ACME", "2026-01-06", 41.0, 44.0, 40.0, 44.0, 2000, "2026-01-06", "yahoo"),
    ("BOLT", "2026-01-05", 50.0, 51.0, 49.0, 50.5, 100, "2026-01-06", "yahoo"),
    ("BOLT", "2026-01-06", 50.5, 52.0, 50.0, 51.5, 200, "2026-01-06", "yahoo"),
]


class TestAsOf:
    """A run of a past day gives what it gave then, also when its source already knows more."""

    def test_the_day_before_a_split(self, market: Market) -> None:
        market.run(as_of=WEDNESDAY)
        assert market.bars() == TUESDAY_BARS

    def test_repeated_later_it_gives_the_same_rows(self, market: Market) -> None:
        market.replay.move_clock(datetime.fromisoformat(FRIDAY))
        report = _without_moving_the_clock(market, WEDNESDAY)
        assert str(report.session) == "2026-01-06"
        assert market.bars() == TUESDAY_BARS
        assert market.rows("select kind, value, basis_date::text from tb_action") == [("dividend", 0.2, "2026-01-06")]

    def test_repeated_over_later_data_it_changes_nothing(self, market: Market) -> None:
        for as_of in (WEDNESDAY, THURSDAY, FRIDAY):
            market.run(as_of=as_of)
        before = market.dump("tb_job_run")
        report = _without_moving_the_clock(market, WEDNESDAY, full_refresh=True)
        assert report.rows.model_dump() == {"new": 0, "changed": 0, "unchanged": 4, "held_back": 0}
        assert market.dump("tb_job_run") == before

    def test_repeated_where_all_is_final_it_asks_nobody(self, market: Market) -> None:
        for as_of in (WEDNESDAY, THURSDAY, FRIDAY):
            market.run(as_of=as_of)
        report = _without_moving_the_clock(market, WEDNESDAY)
        assert (report.tickers, report.requests) == ({State.UNCHANGED: 2}, 0)
        assert report.notes == ["2 tickers not asked for: 2025-12-26 to 2026-01-06 is stored and final"]

    def test_a_split_changes_no_bar_and_restates_what_readers_see(self, market: Market) -> None:
        market.run(as_of=WEDNESDAY)
        report = market.run(as_of=THURSDAY)
        assert report.rows.model_dump() == {"new": 2, "changed": 0, "unchanged": 4, "held_back": 0}
        assert market.bars()[:2] == TUESDAY_BARS[:2]
        assert market.rows("select close, volume::bigint from tb_price where meta_id = 1 order by trade_date") == [
            (10.25, 4000),
            (11.0, 8000),
            (11.5, 3000),
        ]

    def test_macro_of_a_past_day(self, market: Market) -> None:
        market.replay.move_clock(datetime.fromisoformat(FRIDAY))
        _without_moving_the_clock(market, "2025-12-01T12:00+00:00", job="macro")
        assert market.rows("select realtime_start::text from tb_macro_vintage") == [("2025-11-05",)]

    def test_an_earlier_korean_session(self, market: Market) -> None:
        market.replay.move_clock(datetime.fromisoformat(FRIDAY))
        report = _without_moving_the_clock(market, WEDNESDAY, job="kr-price")
        assert (str(report.session), report.rows.new) == ("2026-01-07", 3)


def test_start_and_end_are_both_inclusive(market: Market) -> None:
    market.run(start="2026-01-06", end="2026-01-06")
    assert [bar[:2] for bar in market.bars()] == [("ACME", "2026-01-06"), ("BOLT", "2026-01-06")]
    (row,) = market.ledger()
    assert row["options"] == {"start": "2026-01-06", "end": "2026-01-06"}


def test_a_range_of_a_new_ticker_does_not_stand_for_its_history(market: Market) -> None:
    market.run(start="2026-01-06", end="2026-01-06")
    market.run()
    assert [bar[1] for bar in market.bars()] == ["2026-01-05", "2026-01-06", "2026-01-07"] * 2
    assert market.rows("select distinct history_loaded from tb_meta where iso_code = 'US'") == [(True,)]


def test_an_end_in_the_future_is_the_last_session(market: Market) -> None:
    market.run(end="2026-12-31")
    assert market.bars()[-1][1] == "2026-01-07"


def test_a_first_load_of_a_series_is_whole_whatever_the_range(market: Market) -> None:
    """Loaded later, the rest would be dated as if it had become known later."""
    market.run("macro", start="2025-11-01", end="2025-11-30")
    partly = market.rows("select base_date, realtime_start, value from tb_macro_vintage order by 1, 2")
    market.run("macro", full_refresh=True)
    assert market.rows("select base_date, realtime_start, value from tb_macro_vintage order by 1, 2") == partly
    assert len({row[0] for row in partly}) > 1


def test_start_and_end_of_macro_are_of_the_observations_of_later_runs(market: Market) -> None:
    market.run("macro", as_of="2025-11-10T12:00+00:00")
    market.run("macro", start="2025-11-01", end="2025-11-30")
    assert market.rows("select distinct base_date::text from tb_macro_vintage order by 1") == [
        ("2025-10-01",),
        ("2025-11-01",),
    ]


def test_some_tickers(market: Market) -> None:
    report = market.run(tickers=("BOLT",))
    assert report.tickers == {"updated": 1}
    assert {bar[0] for bar in market.bars()} == {"BOLT"}
    assert market.ledger()[0]["options"] == {"tickers": ["BOLT"]}


@pytest.mark.parametrize("job", ["us-price", "kr-price"])
def test_the_shards_together_are_the_whole(market: Market, job: str) -> None:
    for ticker in ("CORE", "DELT", "ECHO", "FOXT"):
        write_chart(market.folder, ticker, {"2026-01-07": (1.0, 2.0, 1.0, 2.0, 10)})
        market.follow(ticker)
    market.run(job)
    whole = market.bars()
    market.rows("truncate tb_bar, tb_action, tb_listing, tb_job_run")
    parts = [market.run(job, shard=(number, 3)) for number in (1, 2, 3)]
    assert market.bars() == whole
    assert sum(part.rows.new for part in parts) == len(whole)
    assert sorted(row["shard"] for row in market.ledger()) == ["1/3", "2/3", "3/3"]
    market.audit(job)


def test_macro_has_shards_too_and_an_empty_one_is_no_failure(market: Market) -> None:
    reports = [market.run("macro", shard=(number, 3)) for number in (1, 2, 3)]
    assert [report.exit_code for report in reports] == [0, 0, 0]
    assert sorted(report.rows.new for report in reports) == [0, 0, 4]


def test_a_ticker_is_in_one_shard_only() -> None:
    tickers = ["005930", "0126Z0", "ABR^D", "BRK/A", "MSFT"]
    assert [sum(in_shard(ticker, (number, 4)) for number in (1, 2, 3, 4)) for ticker in tickers] == [1] * 5


class TestFullRefresh:
    """The whole history is asked for again, and only what differs is written."""

    def test_prices(self, market: Market) -> None:
        market.run(start="2026-01-07")
        assert len(market.bars()) == 2
        report = market.run(full_refresh=True)
        assert report.rows.model_dump() == {"new": 4, "changed": 0, "unchanged": 2, "held_back": 0}

    def test_macro(self, market: Market) -> None:
        market.run("macro")
        report = market.run("macro", full_refresh=True)
        assert report.rows.model_dump() == {"new": 0, "changed": 0, "unchanged": 4, "held_back": 0}
        assert report.requests == 2

    def test_korea_asks_naver(self, market: Market) -> None:
        market.run("kr-price")
        report = market.run("kr-price", tickers=("005930",), full_refresh=True)
        assert (report.source, report.rows.new, report.rows.unchanged) == ("naver", 2, 1)


def _without_moving_the_clock(market: Market, as_of: str, job: str = "us-price", **options: Any) -> Report:
    return run(JOBS[job], RunOptions(as_of=datetime.fromisoformat(as_of), **options), market.settings())


@pytest.mark.parametrize("as_of", ["2199-01-01T00:00+00:00", "1989-06-01T00:00+00:00", "0001-01-01T00:00+14:00"])
def test_an_instant_outside_the_calendars_is_refused(market: Market, as_of: str) -> None:
    with pytest.raises(UsageError, match="is not between 1991-01-01 and 2027-12-31"):
        _without_moving_the_clock(market, as_of)


def test_an_instant_that_has_not_come_is_refused(market: Market) -> None:
    with pytest.raises(UsageError, match="has not come yet"):
        _without_moving_the_clock(market, (clock.now() + timedelta(days=1)).isoformat())


def test_the_first_days_of_the_calendars(market: Market) -> None:
    assert _without_moving_the_clock(market, "1991-01-05T12:00+00:00").exit_code == 1  # nobody has a bar
    assert market.run(start="1989-01-01", end="1990-01-02").rows.new == 0
    with pytest.raises(UsageError, match=r"no session of XNYS between 1989-01-01 and 1989-12-31$"):
        market.run(start="1989-01-01", end="1989-12-31")
    assert market.bars() == []


def test_a_ticker_that_cannot_be_asked_for_does_not_stop_the_others(market: Market) -> None:
    market.follow("msft", "BF.B2")
    report = market.run()
    assert report.tickers == {"failed": 2, "updated": 2}
    assert (report.exit_code, report.rows.new) == (3, 6)
