"""Korea's listing read again and again: corrections, copies of another session, prices that no session allowed."""

import pytest

from tests.fixtures.market import THURSDAY_KR, WEDNESDAY_KR, Market
from tests.folders import write_krx, write_naver

WEDNESDAY = "2026-01-07T12:00+00:00"
THURSDAY = "2026-01-08T12:00+00:00"
FRIDAY = "2026-01-09T12:00+00:00"


class TestReadAgain:
    """The last seven sessions are read again each day: a listing is not final at the close."""

    CORRECTED = ("005930", "Samsung", "KOSPI", 1000, 1100, 900, 1060, 520)

    def test_a_correction_updates_the_bar_and_keeps_the_old_one(self, market: Market) -> None:
        market.run("kr-price", as_of=WEDNESDAY)
        write_krx(market.folder, "2026-01-07", [self.CORRECTED, *WEDNESDAY_KR[1:]])
        write_krx(market.folder, "2026-01-08", THURSDAY_KR)
        report = market.run("kr-price", as_of=THURSDAY)
        assert (report.rows.new, report.rows.changed, report.rows.unchanged) == (3, 1, 2)
        assert market.bars()[0] == (
            "005930", "2026-01-07", 1000.0, 1100.0, 900.0, 1060.0, 520, "2026-01-07", "krx",
        )  # fmt: skip
        assert market.rows("select close, volume, source, replaced_by from tb_bar_revision") == [(1050, 500, "krx", 2)]
        market.audit("kr-price")

    def test_a_bar_is_final_when_it_was_read_the_same_twelve_hours_later(self, market: Market) -> None:
        query = "select trade_date::text, bool_and(final) from tb_bar group by 1 order by 1"
        market.run("kr-price", as_of=WEDNESDAY)
        assert market.rows(query) == [("2026-01-07", False)]
        market.run("kr-price", as_of=THURSDAY)
        assert market.rows(query) == [("2026-01-07", True), ("2026-01-08", False)]

    def test_a_listing_that_is_not_kept_is_no_failure(self, market: Market) -> None:
        market.run("kr-price", as_of=WEDNESDAY)
        (market.folder / "krx_listing" / "krx-2026-01-07.csv").unlink()
        report = market.run("kr-price", as_of=THURSDAY)
        assert (report.status, report.source, report.notes) == ("succeeded", "krx", [])
        assert [bar[1] for bar in market.bars() if bar[0] == "005930"] == ["2026-01-07", "2026-01-08"]

    def test_the_same_day_again_changes_nothing(self, market: Market) -> None:
        market.run("kr-price", as_of=WEDNESDAY)
        market.run("kr-price", as_of=THURSDAY)
        before = market.dump("tb_job_run")
        market.run("kr-price", as_of=THURSDAY)
        assert market.dump("tb_job_run") == before


MARKET = [(f"0000{number}", f"Share {number}", "KOSPI", 100, 120, 90, 110, 1000 + number) for number in range(10, 22)]


class TestCopies:
    """A listing that claims a session and repeats the one before is not that session."""

    @pytest.fixture(autouse=True)
    def _wednesday(self, market: Market) -> None:
        write_krx(market.folder, "2026-01-07", MARKET)
        market.run("kr-price", as_of=WEDNESDAY)

    def test_the_newest_is_refused_and_yahoo_asked(self, market: Market) -> None:
        write_krx(market.folder, "2026-01-08", MARKET)
        report = market.run("kr-price", as_of=THURSDAY)
        assert (
            "KRX's listing of 2026-01-08 is a copy of the session before: 100% of its traded rows are"
            in report.notes[0]
        )
        assert market.rows("select count(*) from tb_bar where source = 'krx' and trade_date = '2026-01-08'") == [(0,)]

    def test_an_earlier_one_is_left_out_and_named(self, market: Market) -> None:
        write_krx(market.folder, "2026-01-08", MARKET)
        write_krx(market.folder, "2026-01-09", [(*share[:6], 111, 2000) for share in MARKET])
        report = market.run("kr-price", as_of=FRIDAY)
        assert "1 session missing: run --start 2026-01-08 --end 2026-01-08" in report.notes
        assert market.rows("select distinct trade_date::text from tb_bar where source = 'krx' order by 1") == [
            ("2026-01-07",),
            ("2026-01-09",),
        ]

    def test_one_of_an_earlier_session_is_no_copy_of_the_one_before_and_refused_all_the_same(
        self, market: Market
    ) -> None:
        """Its base prices are not the closes before."""
        write_krx(market.folder, "2026-01-08", [(*share[:6], 111, 2000) for share in MARKET])
        market.run("kr-price", as_of=THURSDAY)
        write_krx(market.folder, "2026-01-09", [(*share, 110, 100) for share in MARKET])
        report = market.run("kr-price", as_of=FRIDAY)
        why = "KRX's listing of 2026-01-09 is of another session: 100% of its base prices are not the closes before"
        assert why in report.notes[0]
        assert market.rows("select max(trade_date)::text from tb_bar where source = 'krx'") == [("2026-01-08",)]

    def test_a_spoilt_file_of_an_earlier_session_corrects_nothing(self, market: Market) -> None:
        thursday = [(*share[:6], 111, 2000) for share in MARKET]
        write_krx(market.folder, "2026-01-08", thursday)
        market.run("kr-price", as_of=THURSDAY)
        write_krx(market.folder, "2026-01-09", [(*share[:6], 112, 3000) for share in MARKET])
        write_krx(market.folder, "2026-01-08", [(*share[:6], 112, 3000, 111, 100) for share in MARKET])
        report = market.run("kr-price", as_of=FRIDAY)
        assert (report.exit_code, report.rows.changed) == (0, 0)
        assert market.rows("select distinct close from tb_bar where trade_date = '2026-01-08'") == [(111.0,)]

    def test_a_day_on_which_less_than_half_did_not_move_is_a_session(self, market: Market) -> None:
        moved = [(*share[:6], 111, 2000) for share in MARKET[:6]]
        write_krx(market.folder, "2026-01-08", [*moved, *MARKET[6:]])
        assert market.run("kr-price", as_of=THURSDAY).source == "krx"


class TestLimits:
    """A price that the day's limits did not allow is held back; the rest of the market loads."""

    def held(self, market: Market) -> list[tuple[object, ...]]:
        return market.rows("select ticker, trade_date::text, payload ->> 'close', reason from tb_quarantine order by 1")

    def test_over_30_percent(self, market: Market) -> None:
        market.run("kr-price", as_of=WEDNESDAY)
        write_krx(
            market.folder, "2026-01-08", [("005930", "Samsung", "KOSPI", 1050, 1400, 1000, 1400, 600), THURSDAY_KR[1]]
        )
        report = market.run("kr-price", as_of=THURSDAY)
        assert (report.rows.new, report.rows.held_back) == (1, 1)
        assert self.held(market) == [
            ("005930", "2026-01-08", "1400.0", "a price beyond the day's limits, and no halt or listing before it"),
        ]

    def test_liquidation_trading_after_a_halt_may_fall_to_a_hundredth(self, market: Market) -> None:
        """247540 was halted on Wednesday at 2,050 won."""
        market.run("kr-price", as_of=WEDNESDAY)
        write_krx(market.folder, "2026-01-08", [*THURSDAY_KR[:2], ("247540", "Halted", "KOSDAQ", 20, 21, 20, 20, 900)])
        market.run("kr-price", as_of=THURSDAY)
        assert self.held(market) == []
        assert ("247540", "2026-01-08", 20.0) in [(bar[0], bar[1], bar[5]) for bar in market.bars()]

    def test_at_the_limit(self, market: Market) -> None:
        market.run("kr-price", as_of=WEDNESDAY)
        write_krx(market.folder, "2026-01-08", [("005930", "Samsung", "KOSPI", 1050, 1365, 1000, 1365, 600)])
        market.run("kr-price", as_of=THURSDAY)
        assert self.held(market) == []

    def test_konex_may_move_by_15(self, market: Market) -> None:
        write_krx(market.folder, "2026-01-07", [("100590", "Konex", "KONEX", 1000, 1000, 1000, 1000, 5)])
        market.run("kr-price", as_of=WEDNESDAY)
        write_krx(market.folder, "2026-01-08", [("100590", "Konex", "KONEX", 1000, 1200, 1000, 1200, 5)])
        market.run("kr-price", as_of=THURSDAY)
        assert [row[:2] for row in self.held(market)] == [("100590", "2026-01-08")]

    def test_the_first_day_of_a_listing_may_quadruple(self, market: Market) -> None:
        market.run("kr-price", as_of=WEDNESDAY)
        new = ("0115H0", "New", "KOSDAQ", 4890, 8000, 4245, 7200, 900, 2000)
        write_krx(market.folder, "2026-01-08", [*THURSDAY_KR, new])
        assert market.run("kr-price", as_of=THURSDAY).rows.held_back == 0

    def test_who_is_only_new_to_an_empty_database_was_not_listed_today(self, market: Market) -> None:
        """33,300 won on a base of 10,000, in the first listing that anybody read."""
        write_krx(
            market.folder,
            "2026-01-07",
            [*WEDNESDAY_KR, ("000660", "Hynix", "KOSPI", 9900, 33_300, 9800, 33_300, 5, 10_000)],
        )
        assert market.run("kr-price", as_of=WEDNESDAY).rows.held_back == 1
        assert [row[:3] for row in self.held(market)] == [("000660", "2026-01-07", "33300.0")]

    def test_nor_who_was_in_an_earlier_listing_without_a_bar(self, market: Market) -> None:
        write_krx(market.folder, "2026-01-07", [*WEDNESDAY_KR, ("000660", "Hynix", "KOSPI", "-", "-", "-", "-", "-")])
        market.run("kr-price", as_of=WEDNESDAY)
        write_krx(
            market.folder,
            "2026-01-08",
            [*THURSDAY_KR, ("000660", "Hynix", "KOSPI", 9900, 33_300, 9800, 33_300, 5, 10_000)],
        )
        market.run("kr-price", as_of=THURSDAY)
        assert [row[:2] for row in self.held(market)] == [("000660", "2026-01-08")]

    def test_after_a_halt_there_may_be_no_limits(self, market: Market) -> None:
        """Liquidation trading: 국보 (001140) fell from 2,110 to 86 won on 2026-01-16."""
        market.run("kr-price", as_of=WEDNESDAY)
        write_krx(market.folder, "2026-01-08", [("247540", "Halted", "KOSDAQ", 800, 900, 700, 750, 5000)])
        assert market.run("kr-price", as_of=THURSDAY).rows.held_back == 0

    def test_of_yahoo_the_stored_close_is_the_base(self, market: Market) -> None:
        market.run("kr-price", as_of=WEDNESDAY)
        (market.folder / "krx_listing" / "krx-2026-01-08.csv").unlink()
        days = {"2026-01-07": (1000, 1100, 900, 1050, 500), "2026-01-08": (1050, 1600, 1000, 1600, 600)}
        write_naver(market.folder, "005930", days)  # from which the replay's Yahoo quotes it
        market.run("kr-price", as_of=THURSDAY)
        assert [row[:2] for row in self.held(market)] == [("005930", "2026-01-08")]
