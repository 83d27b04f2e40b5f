"""US: where Yahoo does not serve a ticker, its close of the day comes from Nasdaq's listings, until Yahoo does."""

import json
from typing import Any

import pytest

from tests.fixtures.market import BOLT, Market
from tests.folders import write_chart, write_listing
from tests.replay import Fault
from tests.runner.test_completeness import gaps

WEDNESDAY = "2026-01-07T12:00+00:00"  # New York's last session was Tuesday's
THURSDAY = "2026-01-08T12:00+00:00"
FRIDAY = "2026-01-09T12:00+00:00"  # Thursday's
BOLT_THURSDAY = ("BOLT", "$53.50", "1.00", "397")
LISTED = ("symbol", "lastsale", "netchange", "volume")
ACME_THURSDAY = ("ACME", "$12.00", "0.50", "2400")


def list_shares(market: Market, *rows: tuple[str, str, str, str]) -> None:
    """Nasdaq's listing of (symbol, lastsale, netchange, volume)."""
    write_listing(market.folder, *rows)


def last_bars(market: Market) -> list[tuple[Any, ...]]:
    return [bar for bar in market.bars() if bar[1] == "2026-01-08"]


@pytest.fixture
def loaded(market: Market) -> Market:
    """Everything up to Wednesday is stored, and the listings are of Thursday."""
    market.run()
    list_shares(market, ACME_THURSDAY, BOLT_THURSDAY)
    return market


class TestYahooIsDown:
    """Nobody is served by Yahoo: the job goes on with what the listings have."""

    @pytest.fixture(autouse=True)
    def _down(self, loaded: Market) -> None:
        loaded.replay.fault(Fault.SERVER_ERROR, source="yahoo")

    def test_the_close_of_the_day_is_stored_as_the_listings(self, loaded: Market) -> None:
        asked = loaded.replay.counts.total()
        report = loaded.run(as_of=FRIDAY, settings=loaded.settings(attempts=1))
        assert last_bars(loaded) == [
            ("ACME", "2026-01-08", None, None, None, 12.0, 2400, "2026-01-08", "nasdaq"),
            ("BOLT", "2026-01-08", None, None, None, 53.5, 397, "2026-01-08", "nasdaq"),
        ]
        assert (report.status, report.source, report.tickers) == ("succeeded", "yahoo+nasdaq", {"updated": 2})
        assert report.notes == [
            "Yahoo did not serve 2 tickers; 2 have the close of 2026-01-08 from Nasdaq's listings, until it does"
        ]
        assert loaded.rows("select distinct final from tb_bar where source = 'nasdaq'") == [(False,)]
        assert report.requests == loaded.replay.counts.total() - asked
        loaded.audit()

    def test_when_yahoo_is_back_its_bar_takes_their_place(self, loaded: Market) -> None:
        loaded.run(as_of=FRIDAY, settings=loaded.settings(attempts=1))
        loaded.replay.reset()
        report = loaded.run(as_of=FRIDAY)
        assert last_bars(loaded) == [
            ("ACME", "2026-01-08", 11.5, 12.5, 11.25, 12.0, 2500, "2026-01-08", "yahoo"),
            ("BOLT", "2026-01-08", 52.5, 54.0, 52.0, 53.5, 400, "2026-01-08", "yahoo"),
        ]
        assert loaded.rows("select source, open, close, volume from tb_bar_revision order by meta_id") == [
            ("nasdaq", None, 12.0, 2400),
            ("nasdaq", None, 53.5, 397),
        ]
        assert (report.source, report.rows.changed) == ("yahoo", 2)
        loaded.audit()

    def test_they_never_take_the_place_of_yahoos_bar(self, loaded: Market) -> None:
        loaded.replay.reset()
        loaded.run(as_of=FRIDAY)
        before = loaded.bars()
        loaded.replay.fault(Fault.SERVER_ERROR, source="yahoo")
        report = loaded.run(as_of=FRIDAY, settings=loaded.settings(attempts=1))
        assert loaded.bars() == before
        assert report.tickers == {"unchanged": 2}

    def test_a_second_run_writes_nothing_but_its_ledger_row(self, loaded: Market) -> None:
        loaded.run(as_of=FRIDAY, settings=loaded.settings(attempts=1))
        before = loaded.dump("tb_job_run")
        loaded.run(as_of=FRIDAY, settings=loaded.settings(attempts=1))
        assert loaded.dump("tb_job_run") == before

    def test_read_twice_they_are_still_not_final(self, loaded: Market) -> None:
        for as_of in ("2026-01-08T23:00+00:00", FRIDAY):
            loaded.run(as_of=as_of, settings=loaded.settings(attempts=1))
        assert loaded.rows("select distinct final from tb_bar where source = 'nasdaq'") == [(False,)]

    def test_listings_of_another_session_are_of_no_use(self, loaded: Market) -> None:
        before = loaded.dump("tb_job_run")
        report = loaded.run(as_of=THURSDAY, settings=loaded.settings(attempts=1))
        assert (report.status, report.exit_code) == ("failed", 1)
        assert report.notes == [
            "Yahoo did not serve 2 tickers, and the listings are of no use (the listings are not of 2026-01-07: their "
            "closes before are those of 2026-01-06 for 0% of 2 tickers)"
        ]
        assert loaded.dump("tb_job_run") == before

    def test_nor_are_listings_that_are_down_too(self, loaded: Market) -> None:
        loaded.replay.fault(Fault.SERVER_ERROR, source="listing")
        asked = loaded.replay.counts.total()
        report = loaded.run(as_of=FRIDAY, settings=loaded.settings(attempts=1))
        assert (report.status, report.exit_code) == ("failed", 1)
        assert "(the NASDAQ listing: HTTP 500)" in report.notes[0]
        assert report.requests == loaded.replay.counts.total() - asked

    @pytest.mark.parametrize("options", [{"start": "2026-01-08"}, {"full_refresh": True}])
    def test_a_range_or_a_history_they_have_not(self, loaded: Market, options: dict[str, Any]) -> None:
        report = loaded.run(as_of=FRIDAY, settings=loaded.settings(attempts=1), **options)
        assert (report.exit_code, loaded.replay.counts["listing"]) == (1, 0)

    def test_a_new_ticker_stays_without_a_history(self, loaded: Market) -> None:
        loaded.follow("FRSH")
        list_shares(loaded, ACME_THURSDAY, BOLT_THURSDAY, ("FRSH", "$5.00", "0.10", "9"))
        report = loaded.run(as_of=FRIDAY, settings=loaded.settings(attempts=1))
        assert (report.exit_code, report.tickers) == (3, {"failed": 1, "updated": 2})
        assert loaded.rows("select history_loaded from tb_meta where ticker = 'FRSH'") == [(False,)]


def test_one_ticker_that_yahoo_fails_is_served(loaded: Market) -> None:
    loaded.replay.fault(Fault.SERVER_ERROR, match="/chart/BOLT")
    report = loaded.run(as_of=FRIDAY, settings=loaded.settings(attempts=1))
    assert [(bar[0], bar[5], bar[8]) for bar in last_bars(loaded)] == [
        ("ACME", 12.0, "yahoo"),
        ("BOLT", 53.5, "nasdaq"),
    ]
    assert (report.exit_code, report.tickers) == (0, {"updated": 2})


def test_the_throttled_are_served_too_and_what_neither_has_counts(loaded: Market) -> None:
    loaded.replay.fault(Fault.TOO_MANY, source="yahoo")
    write_chart(loaded.folder, "CORE", {"2026-01-08": (1.0, 2.0, 1.0, 2.0, 10)})
    loaded.follow("CORE")
    report = loaded.run(as_of=FRIDAY)
    assert (report.exit_code, report.tickers) == (3, {"throttled": 1, "updated": 2})
    assert [(bar[0], bar[8]) for bar in last_bars(loaded)] == [("ACME", "nasdaq"), ("BOLT", "nasdaq")]


def test_of_what_yahoo_has_nothing_the_listings_are_not_asked(loaded: Market) -> None:
    loaded.follow("NOPE")
    report = loaded.run(as_of=FRIDAY)
    assert report.tickers == {"empty": 1, "updated": 2}
    assert loaded.replay.counts["listing"] == 0


def test_a_share_that_split_that_day_is_left_for_yahoo(market: Market) -> None:
    """ACME split 4:1 on Wednesday: the listing's close before is 11.00, the stored one of Tuesday is 44.00."""
    others = [f"T{letter}" for letter in "ABCDEFGHIJ"]
    for ticker in others:
        write_chart(market.folder, ticker, {"2026-01-05": (9, 9, 9, 9, 1), "2026-01-06": (8, 8, 8, 8, 1)})
    market.follow(*others)
    market.run(as_of=WEDNESDAY)
    quiet = [(ticker, "$7.00", "-1.00", "5") for ticker in others]
    list_shares(market, ("ACME", "$11.50", "0.50", "3000"), ("BOLT", "$52.50", "1.00", "290"), *quiet)
    market.replay.fault(Fault.SERVER_ERROR, source="yahoo")
    report = market.run(as_of=THURSDAY, settings=market.settings(attempts=1))
    assert (report.exit_code, report.tickers) == (3, {"failed": 1, "updated": 11})
    assert [bar[1] for bar in market.bars() if bar[0] == "ACME"] == ["2026-01-05", "2026-01-06"]


class TestGapsOfTheLastSession:
    """Yahoo lacks BOLT's Thursday: the listings, which are of it, are asked. Of older sessions they have nothing."""

    CROWD = tuple(f"Q{letter}" for letter in "ABCDEFGHIJKLMNOPQRST")

    @pytest.fixture(autouse=True)
    def _hole(self, loaded: Market) -> None:
        write_chart(loaded.folder, "BOLT", {day: bar for day, bar in BOLT.items() if day != "2026-01-08"})

    def list_all(self, market: Market, *rows: tuple[str, str, str, str]) -> None:
        """With twenty more, which prove the session, and each exchange with a share."""
        days = {"2026-01-06": (9, 9, 9, 9, 1), "2026-01-07": (8, 8, 8, 8, 1), "2026-01-08": (7, 7, 7, 7, 1)}
        for ticker in self.CROWD:
            write_chart(market.folder, ticker, days)
        market.follow(*self.CROWD)
        market.run()
        crowd = [dict(zip(LISTED, (ticker, "$7.00", "-1.00", "5"), strict=True)) for ticker in self.CROWD]
        list_shares(market, *rows)
        for exchange, listed in (("nyse", crowd[1:]), ("amex", crowd[:1])):
            (market.folder / "us_listing" / f"{exchange}_full_tickers.json").write_text(json.dumps(listed))

    def test_what_they_have_is_stored_as_theirs(self, loaded: Market) -> None:
        report = loaded.run(as_of=FRIDAY)
        assert [(bar[0], bar[5], bar[8]) for bar in last_bars(loaded)] == [
            ("ACME", 12.0, "yahoo"),
            ("BOLT", 53.5, "nasdaq"),
        ]
        assert gaps(loaded) == [("BOLT", "2026-01-08", "healed", {"yahoo": ["2026-01-09"]})]
        assert "missing sessions: 1 found, 1 healed, none open (see `coverage`)" in report.notes
        loaded.audit()

    def test_when_yahoo_has_it_its_bar_takes_the_place(self, loaded: Market) -> None:
        loaded.run(as_of=FRIDAY)
        write_chart(loaded.folder, "BOLT", BOLT)
        loaded.run(as_of=FRIDAY)
        assert [(bar[0], bar[8]) for bar in last_bars(loaded)] == [("ACME", "yahoo"), ("BOLT", "yahoo")]

    def test_the_files_are_asked_for_once_a_run(self, loaded: Market) -> None:
        """For whom Yahoo failed, for the gap and for the sample."""
        write_chart(loaded.folder, "CORE", {"2026-01-07": (1, 2, 1, 2, 10), "2026-01-08": (2, 2, 1, 2, 10)})
        loaded.follow("CORE")
        loaded.replay.fault(Fault.SERVER_ERROR, match="/chart/CORE")
        asked = loaded.replay.counts.total()
        report = loaded.run(as_of=FRIDAY, settings=loaded.settings(attempts=1, sample_tickers=50))
        assert loaded.replay.counts["listing"] == 3
        assert report.requests == loaded.replay.counts.total() - asked

    def test_two_sources_without_it_end_the_asking_at_once(self, loaded: Market) -> None:
        self.list_all(loaded, ACME_THURSDAY, ("BOLT", "$52.50", "0.00", "0"))
        report = loaded.run(as_of=FRIDAY)
        assert gaps(loaded) == [
            ("BOLT", "2026-01-08", "source_gap", {"yahoo": ["2026-01-09"], "nasdaq": ["2026-01-09"]})
        ]
        assert "missing sessions: 1 found, 1 given up (the sources have nothing), none open" in report.notes[-1]
        loaded.audit()

    @pytest.mark.parametrize(
        "bolt",
        [
            (),  # no recorded listing has ever had it: a fund
            (("BOLT", "$9.00", "1.00", "5"),),  # its close before is another: it split, or is another share
        ],
    )
    def test_what_they_cannot_know_they_do_not_confirm(self, loaded: Market, bolt: tuple[Any, ...]) -> None:
        self.list_all(loaded, ACME_THURSDAY, *bolt)
        loaded.run(as_of=FRIDAY)
        assert loaded.rows("select listed from tb_listing") == [(21 + len(bolt),)]
        assert gaps(loaded)[0][2:] == ("open", {"yahoo": ["2026-01-09"]})

    def test_half_a_market_confirms_nothing(self, loaded: Market) -> None:
        self.list_all(loaded, ACME_THURSDAY, ("BOLT", "$52.50", "0.00", "0"))
        loaded.replay.fault(Fault.SERVER_ERROR, match="amex")
        loaded.run(as_of=FRIDAY)
        assert gaps(loaded)[0][2:] == ("open", {"yahoo": ["2026-01-09"]})

    def test_an_older_gap_keeps_to_yahoo(self, loaded: Market) -> None:
        loaded.rows("delete from tb_bar where trade_date = '2026-01-06' and meta_id = 2")
        days = {day: bar for day, bar in BOLT.items() if day != "2026-01-06"}
        write_chart(loaded.folder, "BOLT", days)
        loaded.run(as_of=FRIDAY)
        assert [gap[1:3] for gap in gaps(loaded)] == [("2026-01-06", "open")]
        assert loaded.replay.counts["listing"] == 0


def test_a_market_that_only_nasdaq_has_was_open(market: Market) -> None:
    """Yahoo has no bar of Thursday, twelve hours after its close; the listings are of it."""
    days = {day: bar for day, bar in BOLT.items() if day != "2026-01-08"}
    market.rows("delete from tb_meta where ticker = 'ACME'")
    market.follow("CORE", "DELT")
    for symbol in ("BOLT", "CORE", "DELT"):
        write_chart(market.folder, symbol, days)
    market.run()
    list_shares(market, *((symbol, "$53.50", "1.00", "397") for symbol in ("BOLT", "CORE", "DELT")))
    market.run(as_of=FRIDAY)
    assert market.rows("select * from tb_session_override") == []
    assert [(bar[0], bar[8]) for bar in last_bars(market)] == [
        ("BOLT", "nasdaq"),
        ("CORE", "nasdaq"),
        ("DELT", "nasdaq"),
    ]
