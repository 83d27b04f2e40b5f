"""Splits and dividends that Yahoo tells long after their day."""

from datetime import date, timedelta

import pytest

from include.insight_invest import sessions
from tests.fixtures.market import Market
from tests.folders import Bar, write_chart

DAYS = [str(day) for day in sessions.sessions("XNYS", date(2026, 1, 5), date(2026, 2, 27))]
# Divided 2:1 on the sixth of them.
CLOSES = [100.0, 101.0, 100.0, 102.0, 101.0, 51.0, 50.0, 51.0, 52.0, 51.0, 52.0, 51.0, 52.0, 53.0, 52.0]
SPLIT = {DAYS[5]: (2, 1)}


@pytest.fixture(autouse=True)
def only_bolt(market: Market) -> None:
    market.rows("delete from tb_meta where ticker = 'ACME'")


def evening(number: int) -> str:
    """When the session of that number is settled."""
    return f"{date.fromisoformat(DAYS[number]) + timedelta(days=1)}T12:00+00:00"


def quoted(closes: list[float], *, until: int, halved: bool = False) -> dict[str, Bar]:
    """Flat bars up to a session, whose volume is short by ten shares on the first evening; ``halved``: as after 2:1."""
    found: dict[str, Bar] = {}
    for number, day in enumerate(DAYS[: until + 1]):
        old = halved and number < 5
        close = closes[number] / 2 if old else closes[number]
        volume = 1000 + number - (10 if number == until else 0)
        found[day] = (close, close, close, close, volume * 2 if old else volume)
    return found


def prices(market: Market) -> list[float]:
    return [row[0] for row in market.rows("select close from tb_price order by trade_date")]


@pytest.mark.parametrize("first", [3, 6])
def test_a_split_told_eight_sessions_late_restates_what_was_read_since(market: Market, first: int) -> None:
    """Thursday's bar was read again, in the old shares, after the split: its basis date says otherwise. ``first``: also
    where the whole history was first read after the split."""
    for number in range(first, 13):
        write_chart(market.folder, "BOLT", quoted(CLOSES, until=number))
        market.run(as_of=evening(number))
    assert prices(market)[:6] == CLOSES[:6]
    write_chart(market.folder, "BOLT", quoted(CLOSES, until=13, halved=True), splits=SPLIT)
    report = market.run(as_of=evening(13))
    assert (report.actions_new, report.rows.held_back, report.exit_code) == (1, 0, 0)
    assert prices(market) == [close / 2 for close in CLOSES[:5]] + CLOSES[5:14]
    assert market.rows("select distinct volume from tb_price where trade_date < %s order by 1", DAYS[5]) == [
        (volume * 2.0,) for volume in (1000, 1001, 1002, 1003, 1004)
    ]
    write_chart(market.folder, "BOLT", quoted(CLOSES, until=13, halved=True), splits=SPLIT)
    market.run(as_of=evening(13))
    before = market.dump("tb_job_run")
    market.run(as_of=evening(13))
    assert market.dump("tb_job_run") == before
    market.audit()


def test_a_late_split_whose_history_is_not_restated_yet_divides_what_is_stored(market: Market) -> None:
    for number in range(3, 13):
        write_chart(market.folder, "BOLT", quoted(CLOSES, until=number))
        market.run(as_of=evening(number))
    write_chart(market.folder, "BOLT", quoted(CLOSES, until=13), splits=SPLIT)
    market.run(as_of=evening(13))
    assert prices(market) == [close / 2 for close in CLOSES[:5]] + CLOSES[5:14]
    write_chart(market.folder, "BOLT", quoted(CLOSES, until=14, halved=True), splits=SPLIT)
    assert market.run(as_of=evening(14)).rows.held_back == 0
    assert prices(market) == [close / 2 for close in CLOSES[:5]] + CLOSES[5:15]
    market.audit()


def test_a_late_split_that_no_price_shows_is_held(market: Market) -> None:
    """A phantom: neither has the share moved that day nor is its history restated."""
    flat = [100.0 + number % 3 for number in range(15)]
    for number in range(3, 13):
        write_chart(market.folder, "BOLT", quoted(flat, until=number))
        market.run(as_of=evening(number))
    write_chart(market.folder, "BOLT", quoted(flat, until=13), splits=SPLIT)
    report = market.run(as_of=evening(13))
    assert (report.actions_new, report.rows.new) == (0, 1)
    assert market.rows("select kind, trade_date::text, reason from tb_quarantine") == [
        ("split", DAYS[5], "a split that the prices do not show")
    ]
    assert prices(market) == flat[:14]


def test_a_dividend_told_nine_sessions_late_is_stored_and_no_older_bar_is_read_again(market: Market) -> None:
    flat = [100.0 + number % 3 for number in range(15)]
    for number in range(3, 13):
        write_chart(market.folder, "BOLT", quoted(flat, until=number))
        market.run(as_of=evening(number))
    write_chart(
        market.folder, "BOLT", quoted(flat, until=13) | {DAYS[2]: (90.0, 90.0, 90.0, 90.0, 7)}, dividends={DAYS[4]: 2.0}
    )
    report = market.run(as_of=evening(13))
    assert (report.actions_new, report.rows.new, report.rows.changed) == (1, 1, 1)  # changed: yesterday's volume
    assert market.rows("select ex_date::text, value from tb_action") == [(DAYS[4], 2.0)]
    assert prices(market) == flat[:14]


def test_a_late_dividend_is_checked_against_the_stored_prices_of_its_day(market: Market) -> None:
    """20 on 100 without a fall is in cents."""
    flat = [100.0 + number % 3 for number in range(15)]
    for number in range(3, 13):
        write_chart(market.folder, "BOLT", quoted(flat, until=number))
        market.run(as_of=evening(number))
    write_chart(market.folder, "BOLT", quoted(flat, until=13), dividends={DAYS[4]: 20.0})
    assert market.run(as_of=evening(13)).actions_new == 0
    assert market.rows("select kind, reason from tb_quarantine") == [
        ("dividend", "a large dividend without a fall of the price")
    ]
