"""The daily sample: the last session's bars as a second source has them; what differs is recorded and settled."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from include.insight_invest.report import Report
from include.insight_invest.updaters.comparison import TOLERANCES, differences
from tests.fixtures.market import Market
from tests.folders import write_chart, write_krx, write_naver
from tests.replay import Fault
from tests.runner.test_fallback import ACME_THURSDAY, BOLT_THURSDAY, list_shares

THURSDAY = "2026-01-08T12:00+00:00"  # New York's last session was Wednesday's, Seoul's is Thursday's
FRIDAY = "2026-01-09T12:00+00:00"
ACME, BOLT = ("ACME", "$11.50", "0.50", "3000"), ("BOLT", "$52.50", "1.00", "290")


def compare(market: Market, job: str = "us-price", sample: int = 50, **options: Any) -> Report:
    """A run with its sample."""
    return market.run(job, settings=market.settings(sample_tickers=sample, attempts=1), **options)


def disagreements(market: Market) -> list[tuple[Any, ...]]:
    return market.rows(
        "select ticker, trade_date::text, field, source, value, other_source, other_value, "
        "to_char(found_at at time zone 'UTC', 'YYYY-MM-DD'), to_char(settled_at at time zone 'UTC', 'YYYY-MM-DD') "
        "from tb_disagreement join tb_meta using (meta_id) order by 1, 2, 3"
    )


class TestUnitedStates:
    """Yahoo's bars against Nasdaq's listings: three requests, whatever the size of the sample."""

    def test_that_none_disagrees_is_said(self, market: Market) -> None:
        list_shares(market, ACME, BOLT)
        report = compare(market)
        assert report.notes == ["compared 2 of 2 tickers with nasdaq: none disagrees"]
        assert disagreements(market) == []
        assert report.requests == market.replay.counts.total()
        assert market.replay.counts["listing"] == 3

    def test_a_close_over_the_tolerance_is_recorded_and_said(self, market: Market) -> None:
        list_shares(market, ACME, ("BOLT", "$52.60", "1.10", "290"))
        report = compare(market)
        assert report.notes == [
            "compared 2 of 2 tickers with nasdaq: 1 disagree: BOLT close 52.5 (yahoo) 52.6 (nasdaq)"
        ]
        assert disagreements(market) == [
            ("BOLT", "2026-01-07", "close", "yahoo", 52.5, "nasdaq", 52.6, "2026-01-08", None)
        ]
        assert (report.exit_code, report.rows.new) == (0, 6)
        market.audit()

    def test_it_is_recorded_once(self, market: Market) -> None:
        list_shares(market, ACME, ("BOLT", "$52.60", "1.10", "290"))
        compare(market)
        before = market.dump("tb_job_run")
        compare(market)
        assert market.dump("tb_job_run") == before

    def test_it_is_settled_when_the_bar_is_corrected(self, market: Market) -> None:
        list_shares(market, ACME, ("BOLT", "$52.60", "1.10", "290"))
        compare(market)
        bolt = {"2026-01-06": (50.5, 52.0, 50.0, 51.5, 200), "2026-01-07": (51.5, 53.0, 51.0, 52.6, 300)}
        write_chart(market.folder, "BOLT", bolt | {"2026-01-08": (52.5, 54.0, 52.0, 53.5, 400)})
        list_shares(market, ACME_THURSDAY, ("BOLT", "$53.50", "0.90", "290"))
        compare(market, as_of=FRIDAY)
        assert disagreements(market)[0][-2:] == ("2026-01-08", "2026-01-09")

    def test_it_is_settled_when_the_other_source_comes_round(self, market: Market) -> None:
        list_shares(market, ACME, ("BOLT", "$52.60", "1.10", "290"))
        compare(market)
        list_shares(market, ACME, BOLT)
        compare(market)
        assert disagreements(market)[0][-1] == "2026-01-08"
        list_shares(market, ACME, ("BOLT", "$52.60", "1.10", "290"))
        compare(market)  # of the same instant as the two before: what is settled stays so
        assert disagreements(market)[0][-1] == "2026-01-08"

    def test_a_dry_run_tells_it_and_writes_nothing(self, market: Market) -> None:
        list_shares(market, ACME, ("BOLT", "$52.60", "1.10", "290"))
        said: list[Any] = []
        compare(market, dry_run=True, on_change=said.append)
        assert str(said[-1]) == "+ tb_disagreement BOLT close 2026-01-07 yahoo=52.5 nasdaq=52.6"
        assert disagreements(market) == []

    @pytest.mark.parametrize(
        ("kind", "why"),
        [(Fault.SERVER_ERROR, "the NASDAQ listing: HTTP 500"), (Fault.TOO_MANY, "the NASDAQ listing: HTTP 429")],
    )
    def test_a_second_source_that_is_down_is_a_note(self, market: Market, kind: Fault, why: str) -> None:
        market.replay.fault(kind, source="listing")
        report = compare(market)
        assert (report.exit_code, report.notes) == (0, [f"2 tickers not compared with nasdaq: {why}"])
        assert report.requests == market.replay.counts.total()

    def test_so_is_one_that_is_stale(self, market: Market) -> None:
        list_shares(market, ACME_THURSDAY, BOLT_THURSDAY)
        report = compare(market)
        assert report.exit_code == 0
        assert "not compared with nasdaq: the listings are not of 2026-01-07" in report.notes[0]

    @pytest.mark.parametrize("options", [{"tickers": ("BOLT",)}, {"start": "2026-01-07"}, {"sample": 0}])
    def test_only_whole_runs_are_compared(self, market: Market, options: dict[str, Any]) -> None:
        report = compare(market, **options)
        assert (report.notes, market.replay.counts["listing"]) == ([], 0)

    def test_what_the_listings_gave_is_not_compared_with_itself(self, market: Market) -> None:
        market.run()
        list_shares(market, ACME_THURSDAY, BOLT_THURSDAY)
        market.replay.fault(Fault.SERVER_ERROR, source="yahoo")
        compare(market, as_of=FRIDAY)
        assert market.replay.counts["listing"] == 3


class TestKorea:
    """KRX's listing against Yahoo: one request a ticker."""

    def test_close_and_volume(self, market: Market) -> None:
        write_naver(market.folder, "005930", {"2026-01-08": (1050, 1200, 1000, 1160, 300)})  # the replay's Yahoo
        report = compare(market, "kr-price")
        assert (
            "compared 3 of 3 tickers with yahoo: 1 disagree: 005930 close 1,150 (krx) 1,160 (yahoo); 005930 volume"
            in (report.notes[-1])
        )
        assert disagreements(market) == [
            ("005930", "2026-01-08", "close", "krx", 1150.0, "yahoo", 1160.0, "2026-01-08", None),
            ("005930", "2026-01-08", "volume", "krx", 600.0, "yahoo", 300.0, "2026-01-08", None),
        ]
        assert report.requests == market.replay.counts.total()
        before = market.dump("tb_job_run")
        compare(market, "kr-price")
        assert market.dump("tb_job_run") == before

    def test_what_yahoo_lacks_is_not_compared(self, market: Market) -> None:
        """As it lacks 005930 of 2025-09-19, which was a session."""
        market.replay.fault(Fault.EMPTY, match="/chart/005930.KS")
        report = compare(market, "kr-price")
        assert report.notes[-1] == "compared 2 of 3 tickers with yahoo: none disagrees"

    def test_yahoo_is_down(self, market: Market) -> None:
        market.replay.fault(Fault.SERVER_ERROR, source="yahoo")
        report = compare(market, "kr-price")
        assert (report.exit_code, report.rows.new) == (0, 3)
        assert report.notes[-1].startswith("3 tickers not compared with yahoo: Yahoo did not answer")
        assert report.requests == market.replay.counts.total()


class TestSample:
    """A part of the market each session: the same when a run is repeated, everybody in the end."""

    CODES = tuple(f"{number:05}0" for number in range(1, 21))

    @pytest.fixture
    def korea(self, market: Market) -> Market:
        for day, volume in (("2026-01-08", 700), ("2026-01-09", 800)):
            shares = [(code, code, "KOSPI", 1000, 1200, 900, 1100, volume) for code in self.CODES]
            write_krx(market.folder, day, shares)
        return market

    def compared(self, market: Market, as_of: str) -> set[str]:
        """Whom a run at ``as_of`` asked Yahoo for."""
        for code in self.CODES:  # each is another at Yahoo, so that it is recorded
            write_naver(market.folder, code, dict.fromkeys(("2026-01-08", "2026-01-09"), (1000, 1200, 900, 1110, 7)))
        compare(market, "kr-price", sample=5, as_of=as_of)
        return {row[0] for row in disagreements(market) if row[7] == as_of[:10]}

    def test_it_moves_on_and_stays_itself(self, korea: Market) -> None:
        thursday = self.compared(korea, THURSDAY)
        assert len(thursday) == 5
        assert self.compared(korea, THURSDAY) == thursday
        assert len(thursday | self.compared(korea, FRIDAY)) == 10  # not one of them again

    def test_shards_compare_their_part_of_it(self, korea: Market) -> None:
        whole = self.compared(korea, THURSDAY)
        korea.rows("truncate tb_disagreement")
        for number in (1, 2, 3):
            compare(korea, "kr-price", sample=5, shard=(number, 3))
        assert {row[0] for row in disagreements(korea)} == whole


@pytest.mark.parametrize(
    ("country", "field", "value", "other", "agrees"),
    [
        ("US", "close", 9.99, 10.0, True),  # a cent
        ("US", "close", 9.98, 10.0, False),
        ("US", "close", 1000.0, 1001.0, True),  # 0.1 %
        ("US", "close", 1000.0, 1001.1, False),
        ("KR", "close", 900.0, 901.0, True),  # one won
        ("KR", "close", 2000.0, 2005.0, True),  # one step of the price
        ("KR", "close", 2000.0, 2010.0, False),
        ("KR", "volume", 1000.0, 1020.0, True),
        ("KR", "volume", 1000.0, 1021.0, False),
        ("KR", "volume", 0.0, 1.0, False),
    ],
)
def test_tolerances(country: str, field: str, value: float, other: float, agrees: bool) -> None:
    frames = [
        pd.DataFrame({"meta_id": [1], "ticker": ["X"], "close": [5.0], "volume": [5.0]}).assign(**{field: number})
        for number in (value, other)
    ]
    rows = differences(frames[0], frames[1].drop(columns="ticker"), TOLERANCES[country])
    assert rows.loc[rows["field"] == field, "agrees"].tolist() == [agrees]


class TestRealSources:
    """Samsung Electronics as four sources had it."""

    def test_two_collections_of_naver_agree(self, shared_data: Path) -> None:
        korean = {"날짜": "day", "종가": "close", "거래량": "volume"}
        one = pd.read_csv(shared_data / "kr_daily" / "005930.csv", parse_dates=["날짜"]).rename(columns=korean)
        other = pd.read_csv(shared_data / "kr_daily" / "QuantKang-005930_D.csv")
        other["day"] = pd.to_datetime(other["date"].astype(str))
        rows = differences(_by_day(one).assign(ticker="005930"), _by_day(other), TOLERANCES["KR"])
        assert rows["agrees"].value_counts().to_dict() == {True: 28}  # close and volume of fourteen sessions

    def test_krx_and_yahoo_agree_on_the_volume_of_every_session(self, shared_data: Path) -> None:
        """Yahoo's recorded closes are adjusted for dividends; its volume is not."""
        krx = pd.read_parquet(shared_data / "marcap" / "marcap-2026.parquet").reset_index()
        krx = krx[krx["Code"] == "005930"].rename(columns={"Date": "day", "Close": "close", "Volume": "volume"})
        yahoo = pd.read_csv(shared_data / "yahoo_vintages" / "005930.KS@f5fd10f.csv", parse_dates=["Date"])
        yahoo = yahoo.rename(columns={"Date": "day", "Close": "close", "Volume": "volume"})
        assert pd.Timestamp("2025-09-19") not in set(yahoo["day"])  # the session was real
        rows = differences(_by_day(krx).assign(ticker="005930"), _by_day(yahoo), {"volume": (0.0, 0.0)})
        assert rows["agrees"].value_counts().to_dict() == {True: 33}


def _by_day(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a day, the day in the place of the ticker."""
    numbers = frame.assign(meta_id=pd.to_datetime(frame["day"]).dt.strftime("%Y%m%d").astype(int))
    return numbers[["meta_id", "close", "volume"]].astype({"close": float, "volume": float})
