"""Every request of a run takes its turn, whatever asks: the updaters, the comparison, a dry run, a listing's sync."""

from collections import Counter
from contextlib import suppress
from datetime import datetime

import psycopg
import pytest

from include.insight_invest.errors import SourceUnavailable
from include.insight_invest.store.database import connect
from include.insight_invest.universe.sync import sync_listing
from tests.fixtures.market import THURSDAY, Market

NAMES = {"listing": "nasdaq"}  # what the replay calls the US exchanges' files


def turns(market: Market) -> dict[str, int]:
    return dict(market.rows("select source, requests from insight_request_pace"))


def sent(market: Market) -> dict[str, int]:
    """The requests that arrived, by source, yfinance's sign-in included."""
    return dict(Counter(NAMES.get(source, source) for source, _ in market.replay.arrivals))


@pytest.mark.parametrize(
    ("job", "sources"),
    [("us-price", {"yahoo", "nasdaq"}), ("kr-price", {"krx", "naver", "yahoo"}), ("macro", {"fred"})],
)
def test_a_run_takes_a_turn_for_each_request(market: Market, job: str, sources: set[str]) -> None:
    market.follow("005930", iso_code="KR", market="KOSPI")
    report = market.run(job, settings=market.settings(sample_tickers=5))
    assert report.requests == sum(sent(market).values())
    assert turns(market) == sent(market)
    assert set(turns(market)) <= sources


def test_a_dry_run_takes_its_turns_for_good(market: Market) -> None:
    market.run("us-price", dry_run=True)
    assert turns(market) == sent(market) != {}
    assert market.rows("select 1 from tb_bar") == []


@pytest.mark.parametrize(("iso_code", "source"), [("US", "nasdaq"), ("KR", "krx")])
def test_a_sync_takes_a_turn_for_each_listing(market: Market, iso_code: str, source: str) -> None:
    # this world has no US listing files: they are asked for all the same
    with connect(market.url) as connection, suppress(SourceUnavailable):
        sync_listing(connection, market.settings(), iso_code, datetime.fromisoformat(THURSDAY))
    assert turns(market) == {source: 3} == sent(market)


def test_a_run_whose_pace_cannot_be_shared_goes_on_by_itself(market: Market, caplog: pytest.LogCaptureFixture) -> None:
    with psycopg.connect(market.url) as other:
        other.execute("lock table insight_request_pace")
        report = market.run("us-price")
    assert (report.exit_code, report.rows.new) == (0, 6)
    assert [record.message for record in caplog.records if "keep to their rates by this process" in record.message] == [
        "requests to yahoo and other sources keep to their rates by this process alone, beside what others send: "
        "insight_request_pace cannot be written (canceling statement due to statement timeout). It is asked again "
        "every 30 s"
    ]
    assert turns(market) == {}
