"""Every session of every ticker is there, explained, or asked for again."""

from typing import Any

import pytest

from include.insight_invest.audit import cover
from include.insight_invest.errors import CoverageBroken
from include.insight_invest.jobs import JOBS
from include.insight_invest.store.database import connect
from tests.fixtures.market import BOLT, THURSDAY_KR, WEDNESDAY_KR, Market
from tests.folders import Bar, write_chart, write_krx, write_naver

FRIDAY = "2026-01-09T12:00+00:00"
MONDAY = "2026-01-12T12:00+00:00"  # New York's last session is Friday's
TUESDAY = "2026-01-13T12:00+00:00"
WEDNESDAY = "2026-01-14T12:00+00:00"


# BOLT alone, a week and a day.
WEEK = BOLT | {
    "2026-01-09": (53.5, 55.0, 53.0, 54.5, 500),
    "2026-01-12": (54.5, 56.0, 54.0, 55.5, 600),
    "2026-01-13": (55.5, 57.0, 55.0, 56.5, 700),
}


@pytest.fixture
def bolt(market: Market) -> Market:
    """The market with BOLT alone, a ticker that Yahoo has every session of until Tuesday, 13 January."""
    market.rows("delete from tb_meta where ticker = 'ACME'")
    write_chart(market.folder, "BOLT", WEEK)
    return market


@pytest.fixture
def trio(bolt: Market) -> Market:
    """The same with two more, CORE and DELT, quoted as BOLT is."""
    bolt.follow("CORE", "DELT")
    quote(bolt, WEEK)
    return bolt


def quote(market: Market, bars: dict[str, Bar]) -> None:
    for symbol in ("BOLT", "CORE", "DELT"):
        write_chart(market.folder, symbol, bars)


def gaps(market: Market) -> list[tuple[Any, ...]]:
    return market.rows(
        "select ticker, trade_date::text, state, asked from tb_gap join tb_meta using (meta_id) order by 1, 2"
    )


def without(bars: dict[str, Bar], *days: str) -> dict[str, Bar]:
    return {day: bar for day, bar in bars.items() if day not in days}


class TestOneSource:
    """Yahoo lacks BOLT's Tuesday: asked again each day, and given up after three."""

    @pytest.fixture(autouse=True)
    def _hole(self, bolt: Market) -> None:
        write_chart(bolt.folder, "BOLT", without(WEEK, "2026-01-06"))

    def test_the_gap_is_recorded_and_told(self, market: Market) -> None:
        report = market.run()
        assert gaps(market) == [("BOLT", "2026-01-06", "open", {"yahoo": ["2026-01-08"]})]
        assert report.notes == ["missing sessions: 1 found, 1 open in 1 ticker, later runs ask again (see `coverage`)"]
        assert report.exit_code == 0
        market.audit()

    def test_a_second_run_of_the_day_writes_nothing(self, market: Market) -> None:
        market.run()
        before = market.dump("tb_job_run")
        market.run()
        assert market.dump("tb_job_run") == before

    def test_it_heals_by_itself(self, market: Market) -> None:
        market.run()
        write_chart(market.folder, "BOLT", WEEK)
        report = market.run(as_of=FRIDAY)
        assert gaps(market) == [("BOLT", "2026-01-06", "healed", {"yahoo": ["2026-01-08"]})]
        assert "missing sessions: 1 healed, none open (see `coverage`)" in report.notes

    def test_after_three_days_it_is_a_source_gap_and_not_asked_for_again(self, market: Market) -> None:
        for as_of in ("2026-01-08T12:00+00:00", "2026-01-08T18:00+00:00", FRIDAY):
            market.run(as_of=as_of)
        assert gaps(market)[0][2] == "open"
        report = market.run(as_of=MONDAY)
        assert gaps(market) == [
            ("BOLT", "2026-01-06", "source_gap", {"yahoo": ["2026-01-08", "2026-01-09", "2026-01-12"]})
        ]
        assert report.notes == ["missing sessions: 1 given up (the sources have nothing), none open (see `coverage`)"]
        assert market.run(as_of=TUESDAY).notes == []
        market.audit()

    def test_a_full_refresh_asks_again(self, market: Market) -> None:
        for as_of in ("2026-01-08T12:00+00:00", FRIDAY, MONDAY):
            market.run(as_of=as_of)
        write_chart(market.folder, "BOLT", WEEK)
        market.run(as_of=TUESDAY, full_refresh=True)
        assert gaps(market)[0][2] == "healed"

    def test_the_window_reaches_back_to_the_oldest_open_gap(self, market: Market) -> None:
        """An old gap is beyond the look-back; the same request brings it."""
        market.run()
        market.rows("update tb_gap set asked = '{}'")
        write_chart(market.folder, "BOLT", WEEK)
        report = market.run(as_of=WEDNESDAY, settings=market.settings(lookback_sessions=5))
        assert gaps(market)[0][2] == "healed"
        assert report.requests <= 3  # BOLT once, and at most a cookie and a crumb


class TestSuspectedClosures:
    """A session without a bar from anybody, twelve hours after its close, was perhaps none."""

    CLOSED = "2026-01-09"

    def test_it_is_recorded_and_told_once_with_the_line_to_add(self, trio: Market) -> None:
        quote(trio, without(WEEK, self.CLOSED, "2026-01-12", "2026-01-13"))
        trio.run(as_of=FRIDAY)
        report = trio.run(as_of=MONDAY)
        assert report.exit_code == 0
        assert report.notes == [
            "XNYS was perhaps closed on 2026-01-09: yahoo answered for 3 tickers without a bar of it, 3 have one of "
            "2026-01-08. Nothing is expected of it any more. Confirm it by `sessions close XNYS 2026-01-09 --note ...` "
            'and by this line in sessions/overrides.csv: XNYS,2026-01-09,closed,,,"(who says so)"'
        ]
        assert overrides(trio) == [("2026-01-09", "suspected")]
        assert gaps(trio) == []
        assert trio.run(as_of=MONDAY).notes == []
        trio.audit()

    def test_before_the_twelve_hours_nothing_is_suspected(self, trio: Market) -> None:
        quote(trio, without(WEEK, self.CLOSED, "2026-01-12", "2026-01-13"))
        trio.run(as_of=FRIDAY)
        report = trio.run(as_of="2026-01-10T08:59+00:00")
        assert overrides(trio) == []
        assert (
            report.notes[0]
            == "no bar of 2026-01-09 for 3 tickers; their newest: BOLT 2026-01-08, CORE 2026-01-08, DELT 2026-01-08"
        )
        trio.run(as_of="2026-01-10T09:00+00:00")
        assert overrides(trio) == [("2026-01-09", "suspected")]
        assert {row[1:3] for row in gaps(trio)} == {("2026-01-09", "not_expected")}

    def test_a_bar_that_comes_after_all_opens_it_again(self, trio: Market) -> None:
        quote(trio, without(WEEK, self.CLOSED, "2026-01-12", "2026-01-13"))
        trio.run(as_of=FRIDAY)
        trio.run(as_of=MONDAY)
        quote(trio, WEEK)
        report = trio.run(as_of=TUESDAY)
        assert report.notes == ["3 bars of 2026-01-09 came after all: XNYS was open"]
        assert overrides(trio) == [("2026-01-09", "open")]
        trio.audit()

    def test_a_source_that_is_down_says_nothing_about_the_market(self, trio: Market) -> None:
        trio.run(as_of=FRIDAY)
        trio.replay.fault("500", source="yahoo")
        assert trio.run(as_of=MONDAY, settings=trio.settings(attempts=1)).exit_code == 1
        assert overrides(trio) == []

    def test_one_ticker_without_a_bar_closes_no_market(self, trio: Market) -> None:
        write_chart(trio.folder, "BOLT", without(WEEK, "2026-01-08"))
        trio.run(as_of=FRIDAY)
        assert overrides(trio) == []
        assert gaps(trio) == [("BOLT", "2026-01-08", "open", {"yahoo": ["2026-01-09"]})]

    def test_two_tickers_are_no_market(self, market: Market) -> None:
        market.run(as_of=FRIDAY)
        assert market.run(as_of=MONDAY).exit_code == 0
        assert overrides(market) == []
        assert [row[:3] for row in gaps(market)] == [("ACME", "2026-01-09", "open"), ("BOLT", "2026-01-09", "open")]

    def test_a_row_that_was_held_back_is_a_bar_from_somebody(self, trio: Market) -> None:
        trio.run(as_of=FRIDAY)
        trio.replay.fault("null_bars", source="yahoo")
        trio.run(as_of=MONDAY)
        assert overrides(trio) == []
        assert gaps(trio) == []

    def test_two_closed_days_in_a_row(self, trio: Market) -> None:
        quote(trio, without(WEEK, self.CLOSED, "2026-01-12", "2026-01-13"))
        trio.run(as_of=FRIDAY)
        trio.run(as_of=TUESDAY)
        assert overrides(trio) == [("2026-01-09", "suspected"), ("2026-01-12", "suspected")]


def overrides(market: Market) -> list[tuple[Any, ...]]:
    return market.rows("select session_date::text, state from tb_session_override order by 1")


class TestKorea:
    """KRX's listing of the session is primary; histories from Naver, then Yahoo, fill what it lacks."""

    def test_a_closure_that_the_tables_do_not_know(self, market: Market) -> None:
        """Thursday has no listing and Yahoo no bar: the run falls back, finds nothing, and ends green."""
        market.run("kr-price", as_of="2026-01-07T12:00+00:00")
        (market.folder / "krx_listing" / "krx-2026-01-08.csv").unlink()
        (market.folder / "naver" / "005930.sise.xml").unlink()
        report = market.run("kr-price", as_of="2026-01-08T21:00+00:00")
        assert report.exit_code == 0
        assert overrides(market) == [("2026-01-08", "suspected")]
        assert "XKRX was perhaps closed on 2026-01-08: yahoo answered for 3 tickers" in report.notes[-1]
        assert gaps(market) == []
        market.audit("kr-price")

    def test_two_sources_that_agree_end_the_asking(self, market: Market) -> None:
        """Thursday's listing lacks 0126Z0, and so does Naver: nobody is asked again."""
        market.run("kr-price", as_of="2026-01-07T12:00+00:00")
        write_krx(market.folder, "2026-01-08", [THURSDAY_KR[0], THURSDAY_KR[2]])
        write_naver(market.folder, "0126Z0", {"2026-01-07": (10, 12, 9, 11, 7)})
        market.run("kr-price")
        assert gaps(market) == [
            ("0126Z0", "2026-01-08", "source_gap", {"krx": ["2026-01-08"], "naver": ["2026-01-08"]})
        ]
        asked = market.replay.counts["naver"]
        market.run("kr-price", as_of="2026-01-08T15:00+00:00")
        assert market.replay.counts["naver"] == asked
        market.audit("kr-price")

    def test_what_the_listing_lacks_naver_has(self, market: Market) -> None:
        market.run("kr-price", as_of="2026-01-07T12:00+00:00")
        write_krx(market.folder, "2026-01-08", [THURSDAY_KR[0], THURSDAY_KR[2]])
        write_naver(market.folder, "0126Z0", {"2026-01-07": (10, 12, 9, 11, 7), "2026-01-08": (11, 13, 10, 12, 8)})
        report = market.run("kr-price")
        assert gaps(market) == [("0126Z0", "2026-01-08", "healed", {"krx": ["2026-01-08"]})]
        assert market.bars()[-3] == ("0126Z0", "2026-01-08", 11.0, 13.0, 10.0, 12.0, 8, "2026-01-08", "naver")
        assert "missing sessions: 1 found, 1 healed, none open (see `coverage`)" in report.notes

    def test_a_budget_that_is_almost_spent_leaves_it_to_a_later_run(self, market: Market) -> None:
        """Two listings in four requests; of the two tickers that lack Thursday, the fifth is for one."""
        market.run("kr-price", as_of="2026-01-07T12:00+00:00")
        write_krx(market.folder, "2026-01-08", [THURSDAY_KR[0]])
        report = market.run("kr-price", settings=market.settings(request_budget=5))
        assert (report.exit_code, report.requests, market.replay.counts["naver"]) == (0, 5, 1)
        market.run("kr-price", as_of="2026-01-08T15:00+00:00")
        assert market.replay.counts["naver"] == 2


class TestHolidays:
    """A run on a holiday has nothing to do, asks nobody, and says so."""

    THANKSGIVING = "2025-11-28T09:00+00:00"  # Friday, 18:00 in Seoul: Wednesday's session is the last one

    @pytest.fixture(autouse=True)
    def _week(self, bolt: Market) -> None:
        days = ["2025-11-24", "2025-11-25", "2025-11-26", "2025-11-28"]
        write_chart(bolt.folder, "BOLT", dict(zip(days, BOLT.values(), strict=True)))

    def test_it_asks_nobody(self, bolt: Market) -> None:
        first = bolt.run(as_of="2025-11-27T09:00+00:00")
        before = bolt.dump("tb_job_run")
        asked = bolt.replay.counts.total()
        report = bolt.run(as_of=self.THANKSGIVING)
        assert (report.status, report.exit_code, report.requests, report.tickers) == ("succeeded", 0, 0, {})
        assert report.notes == [
            f"XNYS did not trade on 2025-11-27: the last session, 2025-11-26, was loaded by run {first.run_id}; "
            "nothing to do"
        ]
        assert bolt.replay.counts.total() == asked
        assert bolt.dump("tb_job_run") == before
        assert bolt.ledger()[-1]["status"] == "succeeded"
        bolt.audit()

    def test_the_day_after_goes_on(self, bolt: Market) -> None:
        for as_of in ("2025-11-27T09:00+00:00", self.THANKSGIVING):
            bolt.run(as_of=as_of)
        assert bolt.run(as_of="2025-11-29T09:00+00:00").rows.new == 1

    @pytest.mark.parametrize("options", [{"full_refresh": True}, {"tickers": ("BOLT",)}, {"start": "2025-11-24"}])
    def test_who_asks_for_something_gets_it(self, bolt: Market, options: dict[str, Any]) -> None:
        bolt.run(as_of="2025-11-27T09:00+00:00")
        assert bolt.run(as_of=self.THANKSGIVING, **options).requests > 0

    def test_a_session_that_nobody_loaded_is_loaded(self, bolt: Market) -> None:
        assert bolt.run(as_of=self.THANKSGIVING).rows.new == 3

    def test_a_new_ticker_is_loaded(self, bolt: Market) -> None:
        bolt.run(as_of="2025-11-27T09:00+00:00")
        bolt.follow("ACME")
        assert bolt.run(as_of=self.THANKSGIVING).requests > 0

    def test_what_a_source_stood_in_for_is_asked_for_again(self, bolt: Market) -> None:
        bolt.run(as_of="2025-11-27T09:00+00:00")
        bolt.rows("update tb_bar set source = 'nasdaq' where trade_date = '2025-11-26'")
        assert bolt.run(as_of=self.THANKSGIVING).rows.changed == 1

    def test_only_the_tickers_with_open_gaps_are_asked_for(self, bolt: Market) -> None:
        days = ["2025-11-24", "2025-11-26", "2025-11-28"]
        hole = dict(zip(days, BOLT.values(), strict=False))
        bolt.follow("CORE", "DELT")
        write_chart(bolt.folder, "CORE", hole)
        write_chart(
            bolt.folder, "DELT", dict(zip(["2025-11-24", "2025-11-25", "2025-11-26"], WEEK.values(), strict=False))
        )
        first = bolt.run(as_of="2025-11-27T09:00+00:00")
        report = bolt.run(as_of=self.THANKSGIVING)
        assert (report.exit_code, report.tickers) == (0, {"unchanged": 1})
        assert report.notes == [
            f"XNYS did not trade on 2025-11-27: the last session, 2025-11-26, was loaded by run {first.run_id}; only 1 "
            "ticker with missing sessions, or not answered for",
            "missing sessions: 1 open in 1 ticker, later runs ask again (see `coverage`)",
        ]
        assert gaps(bolt) == [("CORE", "2025-11-25", "open", {"yahoo": ["2025-11-27", "2025-11-28"]})]
        bolt.audit()

    def test_who_fails_again_fails_no_run(self, bolt: Market) -> None:
        """BOLT alone is answered for; CORE failed on the day before, within the failure budget."""
        bolt.follow("CORE")
        write_chart(bolt.folder, "CORE", {"2025-11-26": (1, 2, 1, 2, 5)})
        bolt.replay.fault("500", match="/chart/CORE")
        settings = bolt.settings(attempts=1, failure_budget=0.5)
        bolt.run(as_of="2025-11-27T09:00+00:00", settings=settings)
        settings = bolt.settings(attempts=1)
        report = bolt.run(as_of=self.THANKSGIVING, settings=settings)
        assert (report.exit_code, report.tickers) == (0, {})
        assert report.notes[-1].startswith("1 of them failed, and are asked for again: ")
        bolt.replay.reset()
        assert bolt.run(as_of=self.THANKSGIVING, settings=settings).tickers == {"updated": 1}
        assert bolt.run(as_of=self.THANKSGIVING, settings=settings).notes[0].endswith("; nothing to do")
        bolt.audit()

    def test_gaps_of_korea_are_asked_of_naver_without_the_listings(self, market: Market) -> None:
        """Korea does not trade on New Year's Eve: the listing of the day before lacks 0126Z0."""
        write_krx(market.folder, "2025-12-29", WEDNESDAY_KR)
        write_krx(market.folder, "2025-12-30", [THURSDAY_KR[0], THURSDAY_KR[2]])
        market.run("kr-price", as_of="2025-12-29T12:00+00:00")
        market.replay.fault("500", source="naver")
        market.replay.fault("500", source="yahoo")
        settings = market.settings(attempts=1)
        assert market.run("kr-price", as_of="2025-12-30T12:00+00:00", settings=settings).exit_code == 0
        market.replay.reset()
        write_naver(market.folder, "0126Z0", {"2025-12-29": (10, 12, 9, 11, 7), "2025-12-30": (11, 13, 10, 12, 8)})
        report = market.run("kr-price", as_of="2025-12-31T12:00+00:00")
        assert (market.replay.counts["krx"], market.replay.counts["naver"]) == (0, report.requests)
        assert report.notes[0].startswith("XKRX did not trade on 2025-12-31: the last session, 2025-12-30, was loaded")
        assert [gap[:3] for gap in gaps(market)] == [("0126Z0", "2025-12-30", "healed")]

    def test_a_weekend_is_no_holiday(self, bolt: Market) -> None:
        for as_of in ("2025-11-27T09:00+00:00", "2025-11-29T09:00+00:00"):
            bolt.run(as_of=as_of)
        assert bolt.run(as_of="2025-11-30T09:00+00:00").requests > 0


class TestCoverage:
    """What ``audit`` counts, and when it fails."""

    def test_it_adds_up(self, bolt: Market) -> None:
        write_chart(bolt.folder, "BOLT", without(WEEK, "2026-01-06"))
        bolt.run()
        with connect(bolt.url) as connection:
            covered = cover(connection, JOBS["us-price"])
        assert (covered.sessions, covered.bars, covered.open_gaps, covered.unexplained) == (3, 2, 1, 0)
        assert str(covered) == (
            "us-price: 3 sessions of 1 ticker up to 2026-01-07: 2 bars (0 without trade), 0 held back, 0 that no "
            "source has, 1 missing and asked for again, 0 unexplained"
        )

    def test_a_row_in_quarantine_explains_its_session(self, bolt: Market) -> None:
        bolt.replay.fault("null_bars", match="/chart/BOLT")
        bolt.run()
        with connect(bolt.url) as connection:
            covered = cover(connection, JOBS["us-price"])
        assert (covered.sessions, covered.bars, covered.held, covered.open_gaps) == (3, 2, 1, 0)

    def test_a_halted_day_has_a_bar_without_a_trade(self, market: Market) -> None:
        market.run("kr-price")
        with connect(market.url) as connection:
            covered = cover(connection, JOBS["kr-price"])
        assert (covered.sessions, covered.bars, covered.without_trade) == (3, 3, 1)

    def test_a_missing_session_that_nobody_recorded_fails_the_audit(self, bolt: Market) -> None:
        write_chart(bolt.folder, "BOLT", without(WEEK, "2026-01-06"))
        bolt.run()
        bolt.rows("delete from tb_gap")
        with pytest.raises(CoverageBroken, match="1 session without bar, reason or open gap: BOLT 1"):
            bolt.audit()
        bolt.run()
        bolt.audit()

    def test_a_range_expects_nothing_outside_it(self, bolt: Market) -> None:
        bolt.run(start="2026-01-05", end="2026-01-05")
        assert gaps(bolt) == []
        bolt.audit()
        bolt.run(as_of=FRIDAY)
        assert gaps(bolt) == []

    def test_before_the_first_run_of_the_market_only_loaded_histories_are_expected(self, market: Market) -> None:
        """Korea's daily runs bring one session; a range long before leaves no gaps until the history is loaded."""
        for day in ("2026-01-05", "2026-01-08"):
            write_naver(market.folder, "005930", {"2026-01-05": (9, 9, 9, 9, 9), "2026-01-08": (9, 9, 9, 9, 9)})
            write_krx(market.folder, day, [WEDNESDAY_KR[0]])
        market.run("kr-price", as_of="2026-01-08T12:00+00:00")
        market.run("kr-price", start="2026-01-05", end="2026-01-05")
        assert gaps(market) == []
        market.run("kr-price", full_refresh=True)
        assert [row[:3] for row in gaps(market)] == [
            ("005930", "2026-01-06", "open"),
            ("005930", "2026-01-07", "open"),
        ]
