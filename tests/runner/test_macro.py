"""Macro runs day after day: what they cost, what they store, what they report, and what they never ask of FRED."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from include.insight_invest.jobs import JOBS
from include.insight_invest.runner import RunOptions, run
from include.insight_invest.settings import Settings
from include.insight_invest.sources.calling import Turns
from include.insight_invest.sources.fred import Fred
from include.insight_invest.starter import macro_file
from include.insight_invest.updaters import macro
from tests.fixtures.market import THURSDAY, Market
from tests.folders import write_fred
from tests.replay import Fault
from tests.runner.series import follow, stored
from tests.store.vintages import recorded, snapshot

FRIDAY = "2026-01-09T12:00+00:00"


class InFifties(Fred):
    """Fifty vintages a request, so that a recorded series takes many."""

    def __init__(self, settings: Settings, turns: Turns | None = None) -> None:
        super().__init__(settings, vintages_per_request=50, turns=turns)


class TestRequests:
    """A series without news costs one request a run, whatever it is."""

    def test_57_series_without_news_are_57_requests_and_one_ledger_row(self, market: Market) -> None:
        series = [line.split(",")[0] for line in macro_file().read_text().splitlines()[1:]]
        assert len(series) == 57
        for name in series:
            write_fred(market.folder, name, [("2025-12-01", "2026-01-07", "1.0")])
        market.rows("delete from tb_macro")
        follow(market, series)
        assert market.run("macro").requests == 2 * 57  # the vintage dates, and what they hold
        before = market.dump("tb_job_run")
        market.replay.counts.clear()
        report = market.run("macro", as_of=FRIDAY)
        assert (report.requests, report.tickers, report.problems) == (57, {"unchanged": 57}, [])
        assert market.replay.counts == {"fred": 57}
        assert market.dump("tb_job_run") == before

    def test_one_whose_last_vintage_is_of_years_ago(self, market: Market) -> None:
        write_fred(market.folder, "RATE", [("2019-01-01", "2019-02-01", "1.0")])
        first = datetime.fromisoformat(THURSDAY)
        days = [first + timedelta(days=number) for number in (0, 1, 2, 29, 31, 32, 75)]
        assert [market.run("macro", as_of=day.isoformat()).requests for day in days] == [3, 1, 1, 1, 1, 1, 1]
        assert stored(market) == [("2019-01-01", "2019-02-01", 1.0)]

    def test_a_quiet_one_is_asked_for_its_observations_when_fred_has_updated_it(self, market: Market) -> None:
        write_fred(market.folder, "RATE", [("2019-01-01", "2019-02-01", "1.0"), ("2020-01-01", "2026-01-09", "2.0")])
        market.run("macro")
        report = market.run("macro", as_of="2026-01-10T12:00+00:00")
        assert (report.requests, report.tickers, report.rows.new) == (2, {"updated": 1}, 1)

    def test_a_past_day_that_is_known_is_not_asked_for_again(self, market: Market) -> None:
        market.run("macro", as_of="2026-01-20T12:00+00:00")
        before = market.dump("tb_job_run")
        report = market.run("macro", as_of="2025-12-10T12:00+00:00")
        assert (report.requests, report.tickers) == (0, {"unchanged": 1})
        assert market.dump("tb_job_run") == before


class TestSeoulMornings:
    """As of 08:00 in Seoul, FRED's date is the day before; asked for Seoul's it would refuse."""

    @pytest.mark.parametrize(
        "mornings",
        [
            ("2026-03-06", "2026-03-07", "2026-03-09", "2026-03-10"),  # the clocks go forward on 2026-03-08
            ("2026-10-30", "2026-10-31", "2026-11-02", "2026-11-03"),  # and back on 2026-11-01
            ("2026-01-08", "2026-01-09", "2026-01-10", "2026-01-12"),
        ],
    )
    def test_each_brings_the_days_before_it(self, market: Market, mornings: tuple[str, ...]) -> None:
        first = datetime.fromisoformat(mornings[0]) - timedelta(days=3)
        days = [str((first + timedelta(days=number)).date()) for number in range(9)]
        write_fred(market.folder, "RATE", [(day, day, "1.0") for day in days])
        reports = [market.run("macro", as_of=f"{day}T08:00+09:00") for day in mornings]
        assert [report.exit_code for report in reports] == [0] * 4
        eve = str((datetime.fromisoformat(mornings[-1]) - timedelta(days=1)).date())
        assert stored(market) == [(day, day, 1.0) for day in days if day <= eve]

    def test_the_minutes_around_chicagos_midnight(self, market: Market) -> None:
        days = ("2026-03-07", "2026-03-08", "2026-03-09")
        write_fred(market.folder, "RATE", [(day, day, "1.0") for day in days])
        moments = ("08T14:59", "08T15:00", "09T13:59", "09T14:00", "09T15:00")
        newest = []
        for moment in moments:
            assert market.run("macro", as_of=f"2026-03-{moment}+09:00").exit_code == 0
            newest.append(stored(market)[-1][0])
        assert newest == ["2026-03-07", "2026-03-08", "2026-03-08", "2026-03-09", "2026-03-09"]

    def test_a_run_repeated_for_a_past_instant_gives_the_same_database(self, market: Market) -> None:
        morning = "2026-01-07T08:00+09:00"
        market.run("macro", as_of=morning)
        then = market.dump("tb_job_run")
        assert then["tb_macro_vintage"]
        market.rows("truncate tb_macro_vintage, tb_job_run restart identity")
        market.rows("update tb_macro set status = 'live', status_since = null")
        market.replay.move_clock(datetime.fromisoformat("2026-06-01T08:00+09:00"))
        run(JOBS["macro"], RunOptions(as_of=datetime.fromisoformat(morning)), market.settings())
        assert market.dump("tb_job_run") == then


class TestNews:
    """What is stored is what FRED said, however the runs come."""

    def test_a_value_that_fred_corrects_within_the_day(self, market: Market) -> None:
        write_fred(market.folder, "RATE", [("2025-12-01", "2026-01-08", "3.3")])
        market.run("macro", as_of="2026-01-08T16:00+00:00")
        write_fred(market.folder, "RATE", [("2025-12-01", "2026-01-08", "3.4")])
        report = market.run("macro", as_of=FRIDAY)
        assert (report.tickers, report.rows.new, report.rows.changed) == ({"updated": 1}, 0, 1)
        assert stored(market) == [("2025-12-01", "2026-01-08", 3.4)]
        assert market.rows("select value, run_id, replaced_at::date::text, replaced_by from tb_macro_revision") == [
            (3.3, 1, "2026-01-09", 2)
        ]
        market.audit("macro")

    def test_a_range_does_not_hide_the_news_of_the_others(self, market: Market) -> None:
        write_fred(
            market.folder,
            "RATE",
            [
                ("2025-10-01", "2025-11-05", "1.0"),
                ("2025-10-01", "2026-01-12", "1.1"),
                ("2025-11-01", "2025-12-05", "2.0"),
                ("2025-11-01", "2026-01-14", "2.1"),
            ],
        )
        market.run("macro")
        market.run("macro", as_of="2026-01-15T12:00+00:00", start="2025-11-01", end="2025-11-30")
        assert [row[1] for row in stored(market)] == ["2025-11-05", "2025-12-05", "2026-01-14"]
        market.run("macro", as_of="2026-01-16T12:00+00:00")
        assert stored(market)[1] == ("2025-10-01", "2026-01-12", 1.1)

    def test_gdp_in_fifties_with_two_interruptions(
        self, market: Market, shared_data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A first load goes on where it stopped, and ends as if it never had."""
        monkeypatch.setattr(macro, "Fred", InFifties)
        market.replay.load(shared_data)
        market.rows("update tb_macro set fred = 'GDP'")
        releases = recorded(shared_data, "all_releases")
        expected = [(day, since, value) for day, since, _, value in sorted(releases)]
        days = sorted({since for _, since, _, _ in releases})
        for failing in (days[150], days[299]):  # it goes on with the last vintage that is stored, days[149]
            market.replay.fault(Fault.SERVER_ERROR, source="fred", match=f"realtime_start={failing}", times=1)
            report = market.run("macro", settings=market.settings(attempts=1))
            assert (report.exit_code, 0 < report.rows.new < 3199) == (1, True)
            assert stored(market, "GDP") == [row for row in expected if row[1] < failing]
        assert market.run("macro").exit_code == 0
        assert stored(market, "GDP") == expected
        assert market.rows("select count(*) from tb_macro_revision") == [(0,)]
        market.audit("macro")

    @pytest.mark.parametrize("series", ["CPIAUCSL", "UNRATE"])
    def test_from_january_to_july(self, market: Market, shared_data: Path, series: str) -> None:
        market.replay.load(shared_data)
        market.rows("update tb_macro set fred = %s", series)
        january, july = (snapshot(shared_data, day, series) for day in ("2026-01-02", "2026-07-30"))
        first = market.run("macro", as_of="2026-01-03T08:00+09:00")
        second = market.run("macro", as_of="2026-07-31T08:00+09:00")
        revised = sum(january[base] != value for base, value in july.items() if base in january)
        assert (first.rows.new, second.rows.new) == (len(january), len(july.keys() - january.keys()) + revised)
        shown = market.rows("select base_date::text, value from tb_macro_data")
        assert dict(shown) == january | july
        assert dict(shown)["2025-10-01"] is None
