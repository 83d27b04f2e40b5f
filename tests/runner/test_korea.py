"""Korea: the market of a day from KRX, history from Naver, Yahoo when KRX is down."""

from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.market import THURSDAY_KR, WEDNESDAY_KR, Market
from tests.folders import write_krx, write_naver
from tests.replay import Fault

WEDNESDAY = "2026-01-07T12:00+00:00"
THURSDAY = "2026-01-08T12:00+00:00"
FRIDAY = "2026-01-09T12:00+00:00"

TUESDAY_KR = [
    ("005930", "Samsung", "KOSPI", 950, 1000, 900, 990, 400),
    ("0126Z0", "Letters", "KOSPI", 9, 11, 8, 10, 6),
    ("247540", "Halted", "KOSDAQ", 0, 0, 0, 2050, 0),
]


def test_the_market_of_a_day_with_its_definitions(market: Market) -> None:
    report = market.run("kr-price")
    assert market.bars() == [
        ("005930", "2026-01-08", 1050.0, 1200.0, 1000.0, 1150.0, 600, "2026-01-08", "krx"),
        ("0126Z0", "2026-01-08", 11.0, 13.0, 10.0, 12.0, 8, "2026-01-08", "krx"),
        ("247540", "2026-01-08", None, None, None, 2050.0, 0, "2026-01-08", "krx"),
    ]
    assert market.rows(
        "select ticker, name, isin, market, marketcap from tb_meta where iso_code = 'KR' order by 1"
    ) == [
        ("005930", "Samsung", "KR7005930000", "KOSPI", 1000000),
        ("0126Z0", "Letters", "KR70126Z0000", "KOSPI", 1000000),
        ("247540", "Halted", "KR7247540000", "KOSDAQ", 1000000),
    ]
    assert (str(report.session), report.source, report.requests) == ("2026-01-08", "krx", 3)
    assert report.notes == ["3 tickers newly listed"]
    assert market.replay.counts == {"krx": 3}


def test_a_missed_session_is_made_up_for(market: Market) -> None:
    market.run("kr-price", as_of=WEDNESDAY)
    write_krx(market.folder, "2026-01-09", [("005930", "Samsung", "KOSPI", 1150, 1250, 1100, 1200, 700)])
    report = market.run("kr-price", as_of=FRIDAY)
    assert [bar[1] for bar in market.bars() if bar[0] == "005930"] == ["2026-01-07", "2026-01-08", "2026-01-09"]
    # the newest listing's three, Thursday's that was missed, and Wednesday's, which is read again
    assert market.replay.counts["krx"] - 3 == 5
    assert report.tickers == {"updated": 3}


def test_missed_sessions_are_not_asked_for_after_a_429(market: Market) -> None:
    market.run("kr-price", as_of=WEDNESDAY)
    write_krx(market.folder, "2026-01-13", [("0126Z0", "Letters", "KOSPI", 11, 13, 10, 12, 8)])
    market.replay.fault(Fault.TOO_MANY, match="listing/krx/2026-01-08")
    report = market.run("kr-price", as_of="2026-01-13T12:00+00:00")
    assert [bar[1] for bar in market.bars() if bar[0] == "0126Z0" and bar[8] == "krx"] == ["2026-01-07", "2026-01-13"]
    assert "3 sessions missing: run --start 2026-01-08 --end 2026-01-12" in report.notes
    assert market.replay.counts["krx"] - 3 == 5  # the newest, Wednesday's again, and the one that was refused


def test_a_share_that_left_the_listing_is_empty_and_stays_known(market: Market) -> None:
    market.run("kr-price", as_of=WEDNESDAY)
    write_krx(market.folder, "2026-01-08", [("005930", "Samsung", "KOSPI", 1050, 1200, 1000, 1150, 600)])
    report = market.run("kr-price")
    assert report.tickers == {"empty": 2, "updated": 1}
    assert {problem.reason for problem in report.problems} == {"not in KRX's listing"}
    assert market.rows("select count(*) from tb_meta where iso_code = 'KR'") == [(3,)]


def test_a_mornings_listing_without_closes_is_no_market(market: Market) -> None:
    write_krx(market.folder, "2026-01-08", [("005930", "Samsung", "KOSPI", "-", "-", "-", "-", "-")])
    report = market.run("kr-price")
    assert (report.source, report.exit_code) == ("yahoo", 0)
    assert "has no closes" in report.notes[-1]


@pytest.mark.parametrize("kind", [Fault.SERVER_ERROR, Fault.TOO_MANY, Fault.HTML, Fault.DROP, Fault.TRUNCATED])
class TestFallback:
    """KRX is down: Yahoo is asked for the shares that are known, and what it gave is marked as its own."""

    @pytest.fixture(autouse=True)
    def _known(self, market: Market, kind: Fault) -> None:
        market.follow("005930", "0126Z0", iso_code="KR", market="KOSPI")
        market.follow("247540", iso_code="KR", market="KOSDAQ")
        market.follow("100590", iso_code="KR", market="KONEX")
        thursday = {"2026-01-08": (1050, 1200, 1000, 1149, 590)}
        write_naver(market.folder, "005930", thursday)  # from which the replay's Yahoo quotes it
        market.replay.fault(kind, source="krx")

    def test_yahoo_is_asked(self, market: Market) -> None:
        report = market.run("kr-price", settings=market.settings(attempts=2))
        assert [bar for bar in market.bars() if bar[1] == "2026-01-08"] == [
            ("005930", "2026-01-08", 1050.0, 1200.0, 1000.0, 1149.0, 590, "2026-01-08", "yahoo"),
            ("0126Z0", "2026-01-08", 11.0, 13.0, 10.0, 12.0, 8, "2026-01-08", "yahoo"),
            ("247540", "2026-01-08", 2050.0, 2050.0, 2050.0, 2050.0, 0, "2026-01-08", "yahoo"),
        ]
        assert (report.source, report.exit_code) == ("yahoo", 0)
        assert report.tickers == {"empty": 1, "updated": 3}  # Yahoo does not carry KONEX
        assert report.notes[0].startswith("KRX's listing was of no use")
        assert report.requests == market.replay.counts["krx"] + market.replay.counts["yahoo"]

    def test_when_krx_is_back_its_rows_take_their_place(self, market: Market) -> None:
        market.run("kr-price", settings=market.settings(attempts=2))
        market.replay.reset()
        report = market.run("kr-price")
        thursday = [bar for bar in market.bars() if bar[:2] == ("005930", "2026-01-08")]
        assert thursday == [("005930", "2026-01-08", 1050.0, 1200.0, 1000.0, 1150.0, 600, "2026-01-08", "krx")]
        assert market.rows("select source, close from tb_bar_revision where close = 1149") == [("yahoo", 1149.0)]
        # Yahoo writes a halt as four closes; KRX says that there was no trade
        halted = [bar for bar in market.bars() if bar[:2] == ("247540", "2026-01-08")]
        assert halted == [("247540", "2026-01-08", None, None, None, 2050.0, 0, "2026-01-08", "krx")]
        assert report.source == "krx"
        market.audit("kr-price")

    def test_yahoos_rows_never_take_krxs_place(self, market: Market) -> None:
        market.replay.reset()
        market.run("kr-price")
        before = market.bars()
        market.replay.fault(Fault.SERVER_ERROR, source="krx")
        market.run("kr-price", settings=market.settings(attempts=1))
        thursday = [bar for bar in market.bars() if bar[1] == "2026-01-08"]
        assert thursday == before


def test_a_stale_listing_is_not_the_market_of_the_day(market: Market) -> None:
    market.follow("005930", iso_code="KR", market="KOSPI")
    (Path(market.folder) / "krx_listing" / "krx-2026-01-08.csv").unlink()
    report = market.run("kr-price")
    assert report.source == "yahoo"
    assert "the newest KRX listing is of 2026-01-07, the market's last session was 2026-01-08" in report.notes[0]


def test_without_a_universe_there_is_nobody_to_ask_yahoo_for(market: Market) -> None:
    market.replay.fault(Fault.SERVER_ERROR, source="krx")
    report = market.run("kr-price", settings=market.settings(attempts=1))
    assert (report.status, report.exit_code, report.requests) == ("failed", 1, market.replay.counts["krx"])


def test_both_down(market: Market) -> None:
    market.follow("005930", iso_code="KR", market="KOSPI")
    for source in ("krx", "yahoo"):
        market.replay.fault(Fault.SERVER_ERROR, source=source)
    report = market.run("kr-price", settings=market.settings(attempts=1))
    assert (report.status, report.exit_code) == ("failed", 1)
    assert report.requests == market.replay.counts.total()


class TestRanges:
    """A range is its listings, one request each; what they lack is Naver's, as are a few tickers over years."""

    TUESDAY = ("005930", "2026-01-06", 950.0, 1000.0, 900.0, 990.0, 400, "2026-01-08", "naver")
    RESTATED = (
        "came from Naver, in shares of today. Of splits that no listing has shown, tb_action has none and the volumes "
        "before them are as traded"
    )

    def test_a_session_that_the_listings_lack_comes_from_naver(self, market: Market) -> None:
        market.follow("005930", iso_code="KR", market="KOSPI")
        report = market.run("kr-price", start="2026-01-06", end="2026-01-07", tickers=("005930",))
        assert market.bars() == [
            self.TUESDAY,
            ("005930", "2026-01-07", 1000.0, 1100.0, 900.0, 1050.0, 500, "2026-01-07", "krx"),
        ]
        assert (report.source, report.requests, market.replay.counts) == ("krx+naver", 3, {"krx": 2, "naver": 1})
        assert report.notes == [
            "2 tickers newly listed",
            f"1 session from 2026-01-06 to 2026-01-06 not in KRX's listings: they {self.RESTATED}",
        ]

    def test_a_few_tickers_over_years_come_from_naver(self, market: Market) -> None:
        """2025-10-01 to 2026-01-06 are 63 sessions, more than 60 and more than one ticker."""
        market.follow("005930", iso_code="KR", market="KOSPI")
        report = market.run("kr-price", start="2025-10-01", end="2026-01-06", tickers=("005930",))
        assert market.bars() == [self.TUESDAY]
        assert (report.source, report.requests, market.replay.counts) == ("naver", 1, {"naver": 1})
        assert f"the range {self.RESTATED}" in report.notes

    def test_a_new_database_learns_its_shares_from_the_range(self, market: Market) -> None:
        report = market.run("kr-price", start="2026-01-07", end="2026-01-07")
        assert [bar[:2] for bar in market.bars()] == [
            ("005930", "2026-01-07"),
            ("0126Z0", "2026-01-07"),
            ("247540", "2026-01-07"),
        ]
        assert (report.requests, market.rows("select session_date::text, listed from tb_listing")) == (
            1, [("2026-01-07", 3)],
        )  # fmt: skip

    def test_where_no_listing_is_kept_from_the_newest(self, market: Market) -> None:
        report = market.run("kr-price", start="2026-01-06", end="2026-01-06")
        assert [bar for bar in market.bars() if bar[1] == "2026-01-06"] == [self.TUESDAY]
        assert (report.exit_code, market.rows("select count(*) from tb_meta where iso_code = 'KR'")) == (0, [(3,)])

    def test_half_a_listing_is_refused_and_the_other_sessions_land(self, market: Market) -> None:
        shares = [(f"{number:05}0", "Name", "KOSPI", 1000, 1200, 900, 1100, number) for number in range(1, 31)]
        for day, listed in (("2026-01-06", shares), ("2026-01-07", shares[:12]), ("2026-01-08", shares)):
            write_krx(market.folder, day, [(*share[:7], int(day[-2:]) * share[7]) for share in listed])
        report = market.run("kr-price", start="2026-01-06", end="2026-01-08")
        assert (report.exit_code, (report.error or "")[:37]) == (1, "the listing of 2026-01-07 was refused")
        query = "select trade_date::text, count(*) from tb_bar group by 1 order by 1"
        assert market.rows(query) == [("2026-01-06", 30), ("2026-01-08", 30)]
        write_krx(market.folder, "2026-01-07", [(*share[:7], 7 * share[7]) for share in shares])
        asked = market.replay.counts["krx"]
        report = market.run("kr-price", start="2026-01-06", end="2026-01-08")
        assert (report.exit_code, report.rows.new) == (0, 30)
        assert market.replay.counts["krx"] - asked == 2  # Wednesday's, and the number of shares of Tuesday's
        market.audit("kr-price")


class TestRequestBudget:
    """INSIGHT_REQUEST_BUDGET in the listings' sessions; the newest of a daily run has been read by then."""

    SPENT = "the budget of {} requests (INSIGHT_REQUEST_BUDGET) is spent and {}; what was loaded stays. {}"
    GOES_ON = "Run the same again: it goes on where this one stopped"

    @pytest.fixture(autouse=True)
    def _listings(self, market: Market) -> None:
        for number, day in enumerate(("2026-01-02", "2026-01-05", "2026-01-06")):
            write_krx(market.folder, day, [(*share[:7], 0 if share[3] == 0 else 900 + number) for share in TUESDAY_KR])
        write_krx(market.folder, "2026-01-07", WEDNESDAY_KR)
        write_krx(market.folder, "2026-01-08", THURSDAY_KR)

    def test_of_a_range_that_goes_on_session_by_session(self, market: Market) -> None:
        wish: dict[str, Any] = {"start": "2026-01-02", "end": "2026-01-08"}
        report = market.run("kr-price", **wish, settings=market.settings(request_budget=2))
        assert (report.exit_code, report.status, report.requests) == (3, "over_budget", 2)
        assert report.error == self.SPENT.format(2, "3 sessions' listings not asked for", self.GOES_ON)
        report = market.run("kr-price", **wish, settings=market.settings(request_budget=3))
        assert (report.exit_code, report.requests) == (3, 3)  # the second landed is read for its number of shares
        assert "goes on where an interrupted run stopped: 2 of 5 sessions landed already" in report.notes
        report = market.run("kr-price", **wish)
        assert (report.exit_code, report.rows.new, report.requests) == (0, 3, 2)
        assert market.rows("select trade_date::text, count(*) from tb_bar group by 1 order by 1") == [
            (f"2026-01-0{day}", 3) for day in (2, 5, 6, 7, 8)
        ]
        assert market.run("kr-price", **wish).requests == 5  # it finished: the same wish is a new one
        market.audit("kr-price")

    def test_of_what_a_range_asks_naver(self, market: Market) -> None:
        (market.folder / "krx_listing" / "krx-2026-01-06.csv").unlink()
        wish: dict[str, Any] = {"start": "2026-01-05", "end": "2026-01-07"}
        report = market.run("kr-price", **wish, settings=market.settings(request_budget=4))
        assert report.error == self.SPENT.format(4, "2 tickers not asked for", self.GOES_ON)
        assert market.replay.counts["naver"] == 1
        report = market.run("kr-price", **wish)
        assert (report.exit_code, market.replay.counts["naver"]) == (0, 3)
        assert [bar[8] for bar in market.bars() if bar[0] == "005930"] == ["krx", "naver", "krx"]

    def test_of_a_daily_run(self, market: Market) -> None:
        market.run("kr-price", as_of="2026-01-02T12:00+00:00")
        report = market.run("kr-price", settings=market.settings(request_budget=5))
        assert (report.exit_code, report.requests) == (3, 5)
        assert report.error == self.SPENT.format(
            5, "2 earlier sessions' listings not asked for", "The next run asks for them"
        )
        assert [bar[1] for bar in market.bars() if bar[0] == "005930"] == [
            "2026-01-02",
            "2026-01-06",
            "2026-01-07",
            "2026-01-08",
        ]
        assert market.run("kr-price").exit_code == 0
        assert len([bar for bar in market.bars() if bar[0] == "005930"]) == 5

    def test_where_nothing_is_left_to_ask(self, market: Market) -> None:
        market.run("kr-price", as_of="2026-01-02T12:00+00:00")
        assert market.run("kr-price", settings=market.settings(request_budget=7)).exit_code == 0

    def test_tickers_are_counted_where_yahoo_stands_in(self, market: Market) -> None:
        market.run("kr-price", as_of="2026-01-02T12:00+00:00")
        market.replay.fault(Fault.SERVER_ERROR, source="krx")
        report = market.run("kr-price", settings=market.settings(request_budget=2, attempts=1))
        assert report.error == self.SPENT.format(2, "2 tickers not asked for", "The next run asks for them")


class TestMissedSessions:
    """A session counts as there when KRX has given most of the market, whoever else gave a part of it."""

    def test_one_ticker_that_was_loaded_by_itself_hides_nothing(self, market: Market) -> None:
        write_krx(market.folder, "2026-01-06", TUESDAY_KR)
        market.run("kr-price", as_of="2026-01-06T12:00+00:00")
        market.run("kr-price", as_of="2026-01-07T12:00+00:00", tickers=("005930",))
        market.run("kr-price", as_of="2026-01-08T12:00+00:00")
        assert market.rows("select trade_date::text, count(*) from tb_bar group by 1 order by 1") == [
            ("2026-01-06", 3),
            ("2026-01-07", 3),
            ("2026-01-08", 3),
        ]

    def test_a_day_that_yahoo_stood_in_for_is_asked_of_krx_again(self, market: Market) -> None:
        write_krx(market.folder, "2026-01-06", TUESDAY_KR)
        market.run("kr-price", as_of="2026-01-06T12:00+00:00")
        market.replay.fault(Fault.SERVER_ERROR, source="krx")
        market.run("kr-price", as_of="2026-01-07T12:00+00:00", settings=market.settings(attempts=1))
        market.replay.reset()
        market.run("kr-price", as_of="2026-01-08T12:00+00:00")
        assert market.rows("select distinct source from tb_bar where trade_date = '2026-01-07'") == [("krx",)]
        market.audit("kr-price")

    def test_a_day_whose_listing_is_gone_is_named_until_naver_gave_it(self, market: Market) -> None:
        """Monday's listing is not in the cache any more: the report says what to run, and then is satisfied."""
        lost = "1 session missing: run --start 2026-01-05 --end 2026-01-05"
        days = ("2026-01-02", "2026-01-06", "2026-01-07", "2026-01-08")
        for number, day in enumerate(days):
            write_krx(market.folder, day, [("005930", "Samsung", "KOSPI", 950, 1000, 900, 990 + number, 400)])
        (market.folder / "naver" / "005930.sise.xml").unlink()
        market.run("kr-price", as_of="2026-01-02T12:00+00:00")
        assert lost in market.run("kr-price", as_of="2026-01-06T12:00+00:00").notes
        asked = market.replay.counts["krx"]
        assert lost in market.run("kr-price", as_of="2026-01-07T12:00+00:00").notes
        # the newest listing's three, those of two sessions again, and the one that is not there
        assert market.replay.counts["krx"] - asked == 6
        write_naver(market.folder, "005930", {"2026-01-05": (950, 1000, 900, 990, 410)})
        market.run("kr-price", start="2026-01-05", end="2026-01-05")
        assert lost not in market.run("kr-price").notes


class TestOddListings:
    """One row of the listing that is not right is not the market's failure."""

    def test_a_code_that_is_there_twice_is_held_back_and_the_rest_loads(self, market: Market) -> None:
        twice = ("005930", "Samsung", "KOSPI", 1050, 1200, 1000, 1160, 600)
        write_krx(market.folder, "2026-01-08", [*THURSDAY_KR, twice])
        report = market.run("kr-price")
        assert (report.rows.new, report.rows.held_back) == (2, 2)

    def test_a_code_that_is_none_and_a_volume_that_no_market_has(self, market: Market) -> None:
        odd = [("", "Nobody", "KOSPI", 1, 1, 1, 1, 1), ("000660", "Huge", "KOSPI", 1, 1, 1, 1, 10**20)]
        write_krx(market.folder, "2026-01-08", [*odd, *THURSDAY_KR])
        report = market.run("kr-price")
        assert (report.rows.new, report.rows.held_back) == (3, 1)


def test_a_listing_does_not_change_what_somebody_wrote_nor_a_past_one_what_is_newer(market: Market) -> None:
    market.rows(
        "insert into tb_meta (ticker, name, security_type, asset_class, iso_code) "
        "values ('005930', 'old', 'PREFERRED', 'OTHER', 'KR')"
    )
    market.run("kr-price")
    written = [("Samsung", "PREFERRED", "OTHER")]
    query = "select name, security_type, asset_class from tb_meta where ticker = '005930'"
    assert market.rows(query) == written
    write_krx(market.folder, "2026-01-07", [("005930", "Before", "KOSPI", 1000, 1100, 900, 1050, 500)])
    market.run("kr-price", as_of="2026-01-07T12:00+00:00")
    assert market.rows(query) == written
