"""Series that FRED does not know, and series that have come to their end: told once, and asked for on."""

import json

from tests.fixtures.market import THURSDAY, Market
from tests.folders import write_fred
from tests.runner.series import follow, stored

FRIDAY = "2026-01-09T12:00+00:00"


def describe(market: Market, series: str, **said: str) -> None:
    """What FRED says of ``series`` itself."""
    (market.folder / "fred" / f"{series}.info.json").write_text(json.dumps({"seriess": [said]}))


def status(market: Market, series: str) -> tuple[str, str | None]:
    """(status, the day since which)."""
    (row,) = market.rows("select status, status_since::date::text from tb_macro where fred = %s", series)
    return row[0], row[1]


class TestUnknown:
    """FRED does not know the id: reported once, asked for on, and loaded when FRED knows it."""

    def test_it_is_reported_once(self, market: Market) -> None:
        follow(market, ["NOPE"])
        reports = [market.run("macro", as_of=day) for day in (THURSDAY, FRIDAY)]
        assert [[(one.ticker, one.reason) for one in report.problems] for report in reports] == [
            [("NOPE", "FRED does not know NOPE")],
            [],
        ]
        assert [report.exit_code for report in reports] == [0, 0]
        assert status(market, "NOPE") == ("unknown", "2026-01-08")
        assert market.ledger()[1]["tickers"]["empty"] == {"NOPE": "FRED does not know NOPE, since 2026-01-08"}

    def test_who_asks_for_it_by_name_is_told(self, market: Market) -> None:
        follow(market, ["NOPE"])
        market.run("macro")
        (told,) = market.run("macro", tickers=("NOPE",), as_of=FRIDAY).problems
        assert told.reason == "FRED does not know NOPE, since 2026-01-08"

    def test_where_it_is_all_there_is_only_the_first_run_fails(self, market: Market) -> None:
        market.rows("update tb_macro set fred = 'NOPE'")
        assert [market.run("macro", as_of=day).exit_code for day in (THURSDAY, FRIDAY)] == [1, 0]

    def test_it_comes_by_itself(self, market: Market) -> None:
        follow(market, ["LATE"])
        market.run("macro")
        write_fred(market.folder, "LATE", [("2025-12-01", "2026-01-09", "1.0")])
        report = market.run("macro", as_of="2026-01-10T12:00+00:00")
        assert report.notes == ["LATE: it was unknown, and FRED has it again"]
        assert status(market, "LATE") == ("live", "2026-01-10")
        assert stored(market, "LATE") == [("2025-12-01", "2026-01-09", 1.0)]

    def test_one_that_fred_drops_keeps_what_is_stored(self, market: Market) -> None:
        market.run("macro")
        before = stored(market)
        (market.folder / "fred" / "RATE.all_releases.json").unlink()
        assert market.run("macro", as_of=FRIDAY).exit_code == 1  # not one of 1 series was answered
        assert (status(market, "RATE"), stored(market)) == (("unknown", "2026-01-09"), before)


class TestDiscontinued:
    """FRED's title or a long silence says that a series has ended: noted once, and asked for on."""

    def test_by_its_title(self, market: Market) -> None:
        write_fred(market.folder, "RATE", [("2025-06-01", "2025-07-01", "1.0")])
        describe(market, "RATE", title="A rate (DISCONTINUED)", frequency_short="M")
        days = (THURSDAY, FRIDAY)
        assert [market.run("macro", as_of=day).notes for day in days] == [
            ["RATE: it is discontinued: FRED's title says so"],
            [],
        ]
        assert status(market, "RATE") == ("discontinued", "2026-01-08")
        assert market.ledger()[1]["tickers"] == {"unchanged": {"RATE": "FRED has not updated it since 2025-07-01"}}

    def test_by_its_silence(self, market: Market) -> None:
        write_fred(market.folder, "RATE", [("2025-06-01", "2025-07-01", "1.0"), ("2025-07-01", "2025-07-01", "1.0")])
        days = ("2025-12-30T12:00+00:00", "2025-12-31T12:00+00:00", "2026-01-01T12:00+00:00")
        assert [market.run("macro", as_of=day).notes for day in days] == [
            [],
            [],
            ["RATE: it is discontinued: no release since 2025-07-01, 184 days, of a series whose frequency is M"],
        ]

    def test_it_comes_back_by_itself(self, market: Market) -> None:
        self.test_by_its_title(market)
        write_fred(market.folder, "RATE", [("2025-06-01", "2025-07-01", "1.0"), ("2025-07-01", "2026-01-12", "2.0")])
        report = market.run("macro", as_of="2026-01-13T12:00+00:00")
        assert (report.tickers, report.notes) == (
            {"updated": 1},
            ["RATE: it was discontinued, and FRED has it again"],
        )
        assert status(market, "RATE") == ("live", "2026-01-13")

    def test_it_is_judged_also_where_fred_has_touched_it_without_news(self, market: Market) -> None:
        write_fred(market.folder, "RATE", [("2025-06-01", "2025-07-01", "1.0")])
        describe(market, "RATE", title="A rate", frequency_short="A")
        market.run("macro")
        describe(market, "RATE", title="A rate (DISCONTINUED)", last_updated="2026-01-08 15:00:00-06")
        report = market.run("macro", as_of=FRIDAY)
        assert (report.requests, report.notes) == (2, ["RATE: it is discontinued: FRED's title says so"])

    def test_a_title_that_is_taken_back(self, market: Market) -> None:
        self.test_by_its_title(market)
        describe(market, "RATE", title="A rate", frequency_short="A")
        report = market.run("macro", as_of="2026-01-11T12:00+00:00")
        assert report.notes == ["RATE: FRED no longer says that it is discontinued"]
        assert status(market, "RATE") == ("live", "2026-01-11")

    def test_a_run_of_the_past_judges_nothing(self, market: Market) -> None:
        self.test_by_its_title(market)
        before = market.dump("tb_job_run")
        market.run("macro", as_of="2025-12-20T12:00+00:00", full_refresh=True)
        assert market.dump("tb_job_run") == before
