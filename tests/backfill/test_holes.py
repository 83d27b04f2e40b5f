"""A range ahead of what the daily runs have read: the next daily run goes on from where they stopped."""

from datetime import date, timedelta

import pytest

from include.insight_invest import sessions
from tests.fixtures.market import Market
from tests.folders import Bar, write_chart

DAYS = [str(day) for day in sessions.sessions("XNYS", date(2026, 1, 5), date(2026, 1, 30))]


@pytest.fixture(autouse=True)
def only_bolt(market: Market) -> None:
    market.rows("delete from tb_meta where ticker = 'ACME'")


def run(market: Market, number: int, *, start: int | None = None, corrected: float = 0.0) -> None:
    """The run after the session of that number, or one over a range up to it; ``corrected`` is Wednesday's close."""
    quoted: dict[str, Bar] = {}
    for place, day in enumerate(DAYS[: number + 1]):
        close = corrected if corrected and place == 2 else 50.0 + place
        quoted[day] = (close, close, close, close, 1000 + place)
    write_chart(market.folder, "BOLT", quoted)
    evening = f"{date.fromisoformat(DAYS[number]) + timedelta(days=1)}T12:00+00:00"
    market.run(as_of=evening, start=DAYS[start] if start is not None else None)


def test_the_sessions_between_are_read(market: Market) -> None:
    run(market, 2)
    run(market, 12, start=8)
    assert market.rows("select count(*) from tb_bar") == [(3 + 5,)]
    run(market, 13)
    assert market.rows("select count(*) from tb_bar") == [(14,)]
    market.audit()


def test_what_was_read_once_is_read_again_until_it_is_final(market: Market) -> None:
    run(market, 2)
    run(market, 12, start=8)
    run(market, 13, corrected=52.5)
    assert market.rows("select close, final from tb_bar where trade_date = %s", DAYS[2]) == [(52.5, False)]
    run(market, 14, corrected=52.5)
    assert market.rows("select close, final from tb_bar where trade_date = %s", DAYS[2]) == [(52.5, True)]
    market.audit()
