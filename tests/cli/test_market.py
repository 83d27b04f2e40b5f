"""The commands about the market: ``sessions``, ``coverage``, ``universe rename``, and what ``universe sync`` says."""

import json
from datetime import date
from pathlib import Path

import pytest

from include.insight_invest.store.database import connect
from include.insight_invest.store.lease import lease
from tests.cli.conftest import Command, job
from tests.fixtures.market import BOLT, Market
from tests.folders import write_chart

SHARE = {"name": "Acme Inc. Common Stock", "marketCap": "5", "sector": "Technology"}


class TestSessions:
    """``sessions list|close|open``: XNYS was perhaps closed on Thursday, 8 January."""

    @pytest.fixture(autouse=True)
    def _suspected(self, market: Market) -> None:
        bars = {day: bar for day, bar in BOLT.items() if day != "2026-01-08"}
        for symbol in ("BOLT", "CORE", "DELT"):
            write_chart(market.folder, symbol, bars)
        market.rows("delete from tb_meta where ticker = 'ACME'")
        market.follow("CORE", "DELT")
        market.run()
        market.run(as_of="2026-01-09T12:00+00:00")

    def test_list(self, cli: Command) -> None:
        out = cli("sessions", "list").out
        assert "2026-01-08" in out
        assert "suspected" in out
        assert "sources yahoo, tickers 3, session before 2026-01-07, bars of session before 3" in out
        assert "perhaps closed, to be decided (`sessions list`): XNYS 2026-01-08" in cli("doctor").out

    def test_close(self, cli: Command, market: Market) -> None:
        said = cli("sessions", "close", "xnys", "2026-01-08", "--note", 'NYSE: "day of mourning"', "--by", "kim")
        assert (said.code, said.out) == (
            0,
            "XNYS was closed on 2026-01-08. For every other installation, in "
            "include/insight_invest/sessions/overrides.csv:\n"
            'XNYS,2026-01-08,closed,,,"NYSE: ""day of mourning"""\n',
        )
        assert market.rows("select exchange, state, decided_by, note from tb_session_override") == [
            ("XNYS", "closed", "kim", 'NYSE: "day of mourning"')
        ]
        for symbol in ("BOLT", "CORE", "DELT"):
            write_chart(market.folder, symbol, BOLT)
        market.run(as_of="2026-01-09T12:00+00:00")
        assert {bar[1] for bar in market.bars()} == {"2026-01-05", "2026-01-06", "2026-01-07"}
        market.audit()

    def test_open(self, cli: Command, market: Market) -> None:
        assert cli("sessions", "open", "XNYS", "2026-01-08", "--note", "it traded").code == 0
        report = market.run(as_of="2026-01-09T12:00+00:00")
        assert "missing sessions: 3 found, 3 open in 3 tickers, later runs ask again (see `coverage`)" in report.notes
        assert market.rows("select state from tb_session_override") == [("open",)]

    def test_a_held_row_must_be_rejected_before_a_day_is_closed(self, cli: Command, market: Market) -> None:
        """A row with an open of zero, and a volume, of the day that was none."""
        write_chart(market.folder, "BOLT", BOLT | {"2026-01-08": (53.5, 0.0, 53.0, 54.5, 500)})
        market.run(as_of="2026-01-09T12:00+00:00")
        said = cli("sessions", "close", "XNYS", "2026-01-08", "--note", "mourning")
        assert said.code == 2
        assert "1 row of 2026-01-08 held back: XNYS traded, by what it says. `quarantine list`" in said.err
        (number,) = market.rows("select quarantine_id::text from tb_quarantine")[0]
        assert cli("quarantine", "reject", number, "--note", "a ghost").code == 0
        assert cli("sessions", "close", "XNYS", "2026-01-08", "--note", "mourning").code == 0

    def test_of_a_day_to_come(self, cli: Command) -> None:
        assert "XNYS will be closed on 2027-12-30" in cli("sessions", "close", "XNYS", "2027-12-30", "--note", "x").out
        assert cli("sessions", "open", "XNYS", "2027-12-30", "--note", "x").out == "XNYS will be open on 2027-12-30\n"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("close", "XNYS", "2026-01-07"), "3 bars of 2026-01-07 stored: XNYS traded"),
            (("close", "XNYS", "2026-01-10"), "XNYS has no session on 2026-01-10: it is closed already"),
            (("close", "XTKS", "2026-01-07"), "'XTKS' is no exchange here: XNYS or XKRX"),
            (("open", "XNYS", "2026-01-07"), "nobody says that XNYS was closed on 2026-01-07"),
            (("open", "XNYS", "yesterday"), "'yesterday' is not a date"),
        ],
    )
    def test_what_cannot_be(self, cli: Command, arguments: tuple[str, ...], message: str) -> None:
        said = cli("sessions", *arguments, "--note", "x")
        assert said.code == 2
        assert message in said.err


class TestCoverage:
    """``coverage``: what is there of what the market had."""

    @pytest.fixture(autouse=True)
    def _hole(self, cli: Command, market: Market) -> None:
        write_chart(market.folder, "BOLT", {day: bar for day, bar in BOLT.items() if day != "2026-01-06"})
        cli(*job("us-price"))

    def test_a_table_and_who_lacks_most(self, cli: Command) -> None:
        lines = [" ".join(line.replace("│", " ").split()) for line in cli("coverage").out.splitlines()]
        assert "us-price 2026-01-07 2 6 5 0 0 0 1 0" in lines
        assert "us-price: BOLT 2026-01-05 to 2026-01-07: 2 of 3; 0 held, 0 source gaps, 1 open, 0 unexplained" in lines

    def test_json_of_one_ticker(self, cli: Command) -> None:
        said = json.loads(cli("coverage", "--market", "US", "--ticker", "BOLT", "--json").last)
        (us,) = said["coverage"]
        assert (us["job"], us["sessions"], us["bars"], us["open_gaps"], us["unexplained"]) == ("us-price", 3, 2, 1, 0)
        assert (us["rows"][0]["ticker"], us["rows"][0]["unexplained"]) == ("BOLT", 0)
        assert (said["exit_code"], said["errors"]) == (0, [])

    def test_what_is_not_explained_ends_with_1(self, cli: Command, market: Market) -> None:
        market.rows("delete from tb_gap")
        sentence = "1 session without bar, reason or open gap: BOLT 1. Run --job us-price again: it records them"
        said = cli("coverage")
        assert (said.code, sentence in said.err) == (1, True)
        said = cli("coverage", "--json")
        assert (said.code, json.loads(said.last)["errors"]) == (1, [sentence])

    def test_a_market_that_no_run_has_looked_at(self, cli: Command) -> None:
        out = cli("coverage", "--market", "KR").out
        assert out == "kr-price: no run of the whole market yet: --job kr-price\n"

    def test_one_ticker_shows_its_own_market_only(self, cli: Command) -> None:
        assert "kr-price" not in cli("coverage", "--ticker", "BOLT").out

    def test_a_ticker_of_which_nothing_is_expected(self, cli: Command, market: Market) -> None:
        market.follow("CORE")
        out = cli("coverage", "--ticker", "CORE").out
        assert "us-price: nothing is expected yet, as no bar is stored: --job us-price" in out

    def test_a_ticker_that_nobody_has(self, cli: Command) -> None:
        cli("universe", "rename", "ACME", "ACNE", "--market", "US", "--on", "2026-01-08", "--note", "x")
        said = cli("coverage", "--ticker", "NOPE", "--ticker", "acne", "--ticker", "ACME")
        assert said.code == 2
        assert "not in the KR or US universe: ACME (called ACNE since 2026-01-08), NOPE, acne." in said.err


class TestRename:
    """``universe rename``: one share, one history."""

    def test_the_bars_stay(self, cli: Command, market: Market) -> None:
        cli(*job("us-price"))
        arguments = ("universe", "rename", "BOLT", "NUT", "--market", "US", "--on", "2026-01-08", "--note", "Nasdaq")
        assert cli(*arguments).out == "BOLT is called NUT since 2026-01-08\n"
        assert {bar[0] for bar in market.bars()} == {"ACME", "NUT"}
        write_chart(market.folder, "NUT", BOLT)
        report = market.run(as_of="2026-01-09T12:00+00:00")
        assert report.rows.new == 2
        market.audit()

    def test_a_run_at_work_goes_before(self, cli: Command, market: Market) -> None:
        arguments = ("universe", "rename", "BOLT", "NUT", "--market", "US", "--on", "2026-01-08", "--note", "Nasdaq")
        with connect(market.url) as other, lease(other, "us-price", (1, 2)):
            said = cli(*arguments)
        assert said.code == 75
        assert "another run of us-price is at work" in said.err
        assert market.rows("select ticker from tb_meta order by 1") == [("ACME",), ("BOLT",)]

    def test_the_same_turned_round_takes_it_back(self, cli: Command, market: Market) -> None:
        before = market.dump("tb_symbol")
        cli("universe", "rename", "BOLT", "NUT", "--market", "US", "--on", "2026-01-08", "--note", "x")
        said = cli("universe", "rename", "NUT", "BOLT", "--market", "US", "--on", "2026-01-08", "--note", "x")
        assert said.out == "NUT is called BOLT again: that it had another name since 2026-01-08 is taken back\n"
        assert market.dump("tb_symbol") == before

    @pytest.mark.parametrize(
        ("new", "iso_code", "on", "message"),
        [
            ("", "US", "2026-01-08", "'' is not a US symbol as its listing writes it"),
            ("nut", "US", "2026-01-08", "'nut' is not a US symbol"),
            ("5930", "KR", "2026-01-08", "'5930' lost its leading zeros"),
            ("00104k", "KR", "2026-01-08", "KRX writes 00104k in capitals"),
            ("NUT", "US", "2999-12-31", "--on 2999-12-31 has not come yet at XNYS"),
        ],
    )
    def test_what_cannot_be(self, cli: Command, market: Market, new: str, iso_code: str, on: str, message: str) -> None:
        before = market.dump()
        said = cli("universe", "rename", "BOLT", new, "--market", iso_code, "--on", on, "--note", "x")
        assert (said.code, message in said.err) == (2, True)
        assert market.dump() == before

    def test_the_old_file_does_not_bring_it_back(self, cli: Command, market: Market, tmp_path: Path) -> None:
        (tmp_path / "mine.csv").write_text("ticker,name,security_type,iso_code\nBOLT,Bolts,STOCK,US\n")
        cli("universe", "rename", "BOLT", "NUT", "--market", "US", "--on", "2026-01-08", "--note", "x")
        said = cli("universe", "import", str(tmp_path / "mine.csv"))
        assert said.out.splitlines() == [
            "BOLT is called NUT since 2026-01-08: not added (is it another share now? --reused BOLT)",
            "0 tickers added, 0 updated",
        ]
        said = cli("universe", "import", str(tmp_path / "mine.csv"), "--reused", "BOLT")
        assert said.out == "1 ticker added, 0 updated\n"

    def test_who_asks_by_the_old_name_is_told_the_new_one(self, cli: Command) -> None:
        cli("universe", "rename", "BOLT", "NUT", "--market", "US", "--on", "2026-01-08", "--note", "x")
        said = cli(*job("us-price", "--tickers", "BOLT"))
        assert said.code == 2
        assert "not in the US universe: BOLT (called NUT since 2026-01-08)" in said.err


class TestSync:
    """``universe sync`` keeps evidence, and proposes what only somebody can decide."""

    @pytest.fixture(autouse=True)
    def _listed(self, cli: Command, market: Market) -> None:
        self.write(market, "ACME", "BOLT")
        cli("universe", "sync", "--market", "US")

    def write(self, market: Market, *symbols: str) -> None:
        folder = market.folder / "us_listing"
        folder.mkdir(exist_ok=True)
        shares = [SHARE | {"symbol": one, "name": "Bolts" if one in ("BOLT", "NUT") else one} for one in symbols]
        for exchange in ("nasdaq", "nyse", "amex"):
            (folder / f"{exchange}_full_tickers.json").write_text(json.dumps(shares))

    def test_a_listing_that_cannot_be_proven_is_no_evidence(self, cli: Command, market: Market) -> None:
        self.earlier(market)
        self.write(market, "ACME")
        out = cli("universe", "sync", "--market", "US").out
        assert out.startswith("US: 1 listed, 0 added, 0 updated\nUS: no evidence of delistings: nothing is stored of")
        assert market.rows("select ticker from tb_absence join tb_meta using (meta_id)") == []

    def test_while_the_markets_job_runs_nothing_is_synced(self, cli: Command, market: Market) -> None:
        with connect(market.url) as connection, lease(connection, "us-price", (1, 1)):
            said = cli("universe", "sync", "--market", "US")
        assert said.code == 75
        assert "US: another run of us-price is at work" in said.err
        assert cli("universe", "sync", "--market", "US").code == 0

    def test_a_name_that_goes_on_under_another_symbol_is_proposed_and_left(self, cli: Command, market: Market) -> None:
        self.earlier(market)
        self.write(market, "ACME", "NUT")
        out = cli("universe", "sync", "--market", "US").out
        assert "BOLT is gone and NUT is new, with the same name; NUT was not added" in out
        assert "universe rename BOLT NUT --market US --on" in out
        assert market.rows("select ticker from tb_meta where iso_code = 'US' order by 1") == [("ACME",), ("BOLT",)]

    def test_the_ledger_knows_of_it(self, market: Market) -> None:
        (row,) = market.ledger()
        assert (row["job"], row["trigger"], row["status"]) == ("universe", "sync US", "succeeded")
        (listing,) = market.rows("select iso_code, session_date, source, listed from tb_listing")
        assert (listing[0], listing[2:]) == ("US", ("nasdaq", 2))
        assert isinstance(listing[1], date)

    def earlier(self, market: Market) -> None:
        """As if the listing of before had been of the day before."""
        market.rows("update tb_listing set session_date = session_date - 1")
        market.rows("update tb_meta set first_listed = first_listed - 1")
