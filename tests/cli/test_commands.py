"""The commands beside ``--job``: schema, universe, status, doctor, quarantine."""

import json
from pathlib import Path

import pytest

from include.insight_invest import commands
from tests.cli.conftest import Command, job
from tests.fixtures.market import Market

UNIVERSE = """ticker,name,security_type,iso_code,market,sector
MSFT,Microsoft,STOCK,US,NASDAQ,Technology
005930,삼성전자,STOCK,KR,KOSPI,
"""


class TestSchema:
    """``db upgrade`` and ``db downgrade``."""

    def test_from_empty_and_again(self, cli: Command, empty_database: str) -> None:
        assert "macro series added" in cli("db", "upgrade", DATABASE_URL=empty_database).out
        again = cli("db", "upgrade", DATABASE_URL=empty_database)
        assert again.code == 0
        assert "; 0 macro series added from the starter list" in again.out

    def test_and_back(self, cli: Command, empty_database: str) -> None:
        cli("db", "upgrade", DATABASE_URL=empty_database)
        said = cli("db", "downgrade", "base", DATABASE_URL=empty_database)
        assert (said.code, "insight_archive" in said.out) == (0, True)
        assert cli("status", DATABASE_URL=empty_database).code == 2

    def test_without_it_every_command_says_what_to_do(self, cli: Command, empty_database: str) -> None:
        for arguments in (job("us-price"), ("status",), ("universe", "import"), ("quarantine", "list")):
            said = cli(*arguments, DATABASE_URL=empty_database)
            assert said.code == 2
            assert "db upgrade" in said.err


class TestUniverse:
    """``universe import`` and ``universe sync``."""

    def test_a_file(self, cli: Command, market: Market, tmp_path: Path) -> None:
        file = tmp_path / "mine.csv"
        file.write_text(UNIVERSE, encoding="utf-8")
        assert cli("universe", "import", str(file)).out == "2 tickers added, 0 updated\n"
        assert cli("universe", "import", str(file)).out == "0 tickers added, 0 updated\n"
        file.write_text(UNIVERSE.replace("Technology", "Software"), encoding="utf-8")
        assert cli("universe", "import", str(file)).out == "0 tickers added, 1 updated\n"
        assert market.rows("select ticker, sector from tb_meta where ticker in ('MSFT', '005930') order by 1") == [
            ("005930", None),
            ("MSFT", "Software"),
        ]

    def test_a_file_that_is_none(self, cli: Command, market: Market, tmp_path: Path) -> None:
        file = tmp_path / "mine.csv"
        file.write_text("ticker,name\nMSFT,Microsoft\n")
        said = cli("universe", "import", str(file))
        assert said.code == 2
        assert "lacks the column security_type, iso_code" in said.err
        assert market.rows("select count(*) from tb_meta") == [(2,)]

    def test_the_starter_universe(self, cli: Command, market: Market) -> None:
        said = cli("universe", "import")
        assert said.code == 0
        assert market.rows("select count(*) from tb_meta where iso_code = 'KR' and length(ticker) = 6")[0][0] > 10

    def test_korea_from_krxs_listing(self, cli: Command, market: Market) -> None:
        assert cli("universe", "sync", "--market", "KR").out == "KR: 3 listed, 3 added, 0 updated\n"
        assert cli("universe", "sync", "--market", "KR").out == "KR: 3 listed, 0 added, 0 updated\n"
        assert ("0126Z0", "KOSPI") in market.rows("select ticker, market from tb_meta where iso_code = 'KR'")

    def test_america_from_the_exchanges_listings(self, cli: Command, market: Market) -> None:
        share = {"name": "Acme Inc. Common Stock", "marketCap": "5", "sector": "Technology"}
        folder = market.folder / "us_listing"
        folder.mkdir()
        for exchange, symbols in {"nasdaq": ["ACME", "MSFT"], "nyse": ["BRK/A", "ABR^D"], "amex": ["MSFT"]}.items():
            rows = [share | {"symbol": symbol} for symbol in symbols]
            (folder / f"{exchange}_full_tickers.json").write_text(json.dumps(rows))
        assert cli("universe", "sync", "--market", "US").out == "US: 4 listed, 3 added, 1 updated\n"
        assert market.rows("select ticker, market from tb_meta where iso_code = 'US' order by 1") == [
            ("ABR^D", "NYSE"),
            ("ACME", "NASDAQ"),
            ("BOLT", None),
            ("BRK/A", "NYSE"),
            ("MSFT", "NASDAQ"),
        ]

    def test_a_listing_that_is_down_changes_nothing(self, cli: Command, market: Market) -> None:
        market.replay.fault("500", source="krx")
        before = market.dump()
        said = cli("universe", "sync", "--market", "KR", INSIGHT_ATTEMPTS="1")
        assert said.code == 1
        assert market.dump() == before


class TestStatus:
    """``status``: each job's last run, and what is stored."""

    def test_of_an_empty_store(self, cli: Command) -> None:
        said = cli("status")
        assert said.code == 0
        assert "No job has run yet: run_scheduled_job.py --job all" in said.out

    def test_after_runs(self, cli: Command) -> None:
        cli(*job("all"))
        cli("universe", "sync", "--market", "KR")  # the ledger has a row of it, but it is no job
        out = cli("status").out
        assert "universe" not in out
        lines = [" ".join(line.split()) for line in cli("status").out.replace("│", " ").splitlines()]
        assert any(line.startswith("kr-price 2026-01-08 succeeded 2 ") and " 3 3 0 0 0 3 " in line for line in lines)
        assert "US 2 2 2026-01-07" in lines
        assert "KR 3 3 2026-01-08" in lines
        assert "macro 1 1 2025-12-01" in lines

    def test_what_waits(self, cli: Command, market: Market) -> None:
        cli(*job("us-price"))
        assert "missing" not in cli("status").out
        market.rows("insert into tb_gap values (1, '2026-01-06', 'open', '{}', 1, now())")
        market.rows(
            "insert into tb_session_override (exchange, session_date, state, run_id, observed_at) "
            "values ('XNYS', '2026-01-09', 'suspected', 1, now())"
        )
        assert cli("status").out.splitlines()[-2:] == [
            "1 session of 1 ticker missing and asked for again: `coverage`",
            "XNYS was perhaps closed on 2026-01-09: `sessions list`, and close or open it",
        ]


class TestDoctor:
    """``doctor``: what a run needs, and what is missing."""

    def test_all_is_well(self, cli: Command) -> None:
        said = cli("doctor")
        assert said.code == 0
        assert "problem" not in said.out
        for what in ("environment of us-price", "database", "schema", "universe", "calendars"):
            assert what in said.out

    def test_what_is_missing_is_named(self, cli: Command, empty_database: str) -> None:
        said = cli("doctor", DATABASE_URL=empty_database, FRED_API_KEY=None)
        assert said.code == 1
        assert "problem  environment of macro: missing environment: FRED_API_KEY" in said.out
        assert "problem  schema: the database has no Insight-Invest schema" in said.out
        assert "ok       database: PostgreSQL" in said.out

    def test_a_market_without_a_ticker(self, cli: Command, market: Market) -> None:
        assert "universe: US 2 (0 with data), macro 1 (0 with data); no KR ticker yet" in cli("doctor").out
        market.rows("delete from tb_meta")
        said = cli("doctor")
        assert said.code == 1
        assert "problem  universe: no US ticker: `universe import` or `universe sync`" in said.out

    def test_nothing_is_there(self, cli: Command) -> None:
        said = cli("doctor", DATABASE_URL="postgresql://a:hidden-word@127.0.0.1:1/b")
        assert said.code == 1
        assert "cannot connect to the database at 127.0.0.1:1/b" in said.out
        assert "hidden-word" not in said.out + said.err


class TestQuarantine:
    """``quarantine list|release|reject``: BOLT's Wednesday bar came without prices, ACME's low is over its high."""

    @pytest.fixture(autouse=True)
    def _held(self, cli: Command, market: Market) -> None:
        from tests.folders import write_chart

        write_chart(market.folder, "ACME", {"2026-01-07": (11.0, 12.0, 10.75, 12.75, 3000)})
        market.replay.fault("null_bars", match="/chart/BOLT", times=1)
        assert (
            cli(*job("us-price", "--start", "2026-01-07", "--tickers", "ACME")).code == 1
        )  # its only row is held back
        cli(*job("us-price"))

    def ids(self, market: Market) -> dict[str, str]:
        return {
            ticker: str(number) for ticker, number in market.rows("select ticker, quarantine_id from tb_quarantine")
        }

    def test_list(self, cli: Command) -> None:
        out = cli("quarantine", "list").out
        assert "no close" in out
        assert "low over high" in out or "outside low and high" in out
        assert cli("quarantine", "list", "--status", "released").out == "no row is released\n"

    def test_release_stores_the_row_with_a_ledger_row_of_its_own(self, cli: Command, market: Market) -> None:
        said = cli("quarantine", "release", self.ids(market)["ACME"], "--note", "seen at the exchange", "--by", "kim")
        assert (said.code, said.out) == (0, f"row {self.ids(market)['ACME']} released: 1 new, 0 changed\n")
        assert market.bars()[0] == ("ACME", "2026-01-07", 11.0, None, 10.75, 12.75, 3000, "2026-01-07", "yahoo")
        assert market.rows("select status, decided_by, note from tb_quarantine where ticker = 'ACME'") == [
            ("released", "kim", "seen at the exchange")
        ]
        assert (market.ledger()[-1]["job"], market.ledger()[-1]["trigger"]) == ("quarantine", "kim")
        market.audit()
        again = cli("quarantine", "reject", self.ids(market)["ACME"], "--note", "again")
        assert again.code == 2
        assert f"row {self.ids(market)['ACME']} was released by kim at 20" in again.err
        assert "there is no row 77: `quarantine list`" in cli("quarantine", "reject", "77", "--note", "x").err

    def test_a_decision_has_a_reason(self, cli: Command, market: Market) -> None:
        for decision in ("release", "reject"):
            assert cli("quarantine", decision, self.ids(market)["ACME"], "--note", " ").code == 2
        assert market.rows("select distinct status from tb_quarantine") == [("held",)]

    def test_figures_are_whole_and_in_the_order_of_a_bar(self, cli: Command, market: Market) -> None:
        market.rows(
            "update tb_quarantine set payload = payload || "
            '\'{"volume": 20341626.0, "open": 1234567.125, "high": 5}\' where ticker = \'ACME\''
        )
        line = "        open=1,234,567.125 high=5 low=10.75 close=12.75 volume=20,341,626 "
        assert line in cli("quarantine", "list").out

    def test_more_than_are_shown(self, cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(commands, "_SHOWN_HELD", 1)
        assert cli("quarantine", "list").out.splitlines()[-1] == "these are the newest 1; there are more"

    def test_release_as_the_check_proposes(self, cli: Command, market: Market) -> None:
        from tests.folders import write_chart

        days = {f"2026-01-0{day}": (50.0, 50.0, 50.0, 50.0, 100 + day) for day in (5, 6, 7)}
        write_chart(market.folder, "PENNY", days, dividends={"2026-01-06": 20.0})
        market.follow("PENNY")
        cli(*job("us-price"))
        number = self.ids(market)["PENNY"]
        assert (
            f"{number:>6}  PENNY 2026-01-06 dividend of yahoo: a large dividend without a fall of the price\n"
            "        value=20 currency=USD\n"
            "        proposed: value=0.2\n"
        ) in cli("quarantine", "list").out
        said = cli("quarantine", "release", number, "--proposed", "--note", "cents", "--by", "kim")
        assert (said.code, said.out) == (0, f"row {number} released: 1 new, 0 changed\n")
        assert market.rows("select value from tb_action where kind = 'dividend' order by 1 desc limit 1") == [(0.2,)]
        assert "released by kim" in cli("quarantine", "list", "--status", "released").out
        again = cli("quarantine", "release", self.ids(market)["ACME"], "--proposed", "--note", "x")
        assert (again.code, "has no proposal" in again.err) == (2, True)

    def test_what_was_repaired_is_listed(self, cli: Command, market: Market) -> None:
        from tests.folders import write_chart

        write_chart(market.folder, "QUIRK", {"2026-01-07": (10.2, 10.0, 9.0, 9.5, 100)})
        market.follow("QUIRK")
        cli(*job("us-price"))
        out = cli("quarantine", "list", "--status", "repaired").out
        assert "QUIRK 2026-01-07 bar of yahoo: open outside low and high: stored without open\n" in out

    def test_a_row_without_a_close_cannot_be_released(self, cli: Command, market: Market) -> None:
        said = cli("quarantine", "release", self.ids(market)["BOLT"], "--note", "x")
        assert said.code == 2
        assert "has no positive close: it cannot be stored, only rejected" in said.err
        assert market.rows("select status from tb_quarantine where ticker = 'BOLT'") == [("held",)]

    def test_reject(self, cli: Command, market: Market) -> None:
        number = self.ids(market)["BOLT"]
        assert (
            cli("quarantine", "reject", number, "--note", "no trade", "--by", "kim").out == f"row {number} rejected\n"
        )
        assert market.rows("select status, decided_by, note from tb_quarantine where ticker = 'BOLT'") == [
            ("rejected", "kim", "no trade")
        ]
        assert cli("quarantine", "list", "--status", "rejected").out.count("no close") == 1


class TestDisagreements:
    """What the daily sample found is counted by ``status`` and listed by ``disagreements``."""

    def test_there_are_none(self, cli: Command) -> None:
        assert cli("disagreements").out == "no two sources disagree\n"
        assert "difference between two sources" not in cli("status").out

    def test_they_are_shown_until_they_are_settled(self, cli: Command, market: Market) -> None:
        cli(*job("us-price"))
        market.rows(
            "insert into tb_disagreement values (2, '2026-01-07', 'close', 'yahoo', 52.25, 'nasdaq', 52.6, 1, "
            "'2026-01-08 12:00+00', null)"
        )
        assert "1 value with a difference between two sources: `disagreements`" in cli("status").out
        (row,) = [line for line in cli("disagreements").out.splitlines() if "BOLT" in line]
        assert [cell.strip() for cell in row.strip("│").split("│")] == [
            "BOLT",
            "2026-01-07",
            "close",
            "2026-01-08 12:00",
            "52.25 (yahoo)",
            "52.6 (nasdaq)",
            "52.5",
        ]
        market.rows("update tb_disagreement set settled_at = now()")
        assert cli("disagreements").out == "no two sources disagree\n"
