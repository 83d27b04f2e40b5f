"""What is read, however it is read: whole sessions, watermarks, and series that are revised often."""

from datetime import date, timedelta

import pytest

from include.insight_invest.store import read
from include.insight_invest.store.database import Connection
from include.insight_invest.store.prices import adjusted_closes, history, market_day, newest_sessions, prices
from include.insight_invest.store.read import Observation
from tests.store.rows import actions, bars, load, load_series, macro, ticker, vintages


def test_a_session_of_a_country_in_todays_shares(connection: Connection) -> None:
    ticker(connection, "AAPL")
    ticker(connection, "005930", "KR")
    load(connection, bars(("2026-03-18", 10.0, 12.0, 9.0, 11.0, 1000, "2026-03-18"), meta_id=1))
    load(connection, bars(("2026-03-18", 50, 52, 49, 51, 10, "2026-03-18"), meta_id=2), currency="KRW")
    load(connection, None, actions(("2026-03-19", "split", 2, "2026-03-19")))
    session = market_day(connection, "US", date(2026, 3, 18))
    assert [values.tolist() for values in vars(session).values()] == [[1], [5.0], [6.0], [4.5], [5.5], [2000.0], [5.5]]
    assert len(market_day(connection, "US", date(2026, 3, 19))) == 0


def test_the_newest_session_of_each_ticker(connection: Connection) -> None:
    for symbol in ("NEW", "OLD", "NONE"):
        ticker(connection, symbol)
    days = ("2025-03-18", "2026-03-17", "2026-03-18")
    load(connection, bars(*((day, 10.0, 12.0, 9.0, 11.0, 1000, day) for day in days), meta_id=1))
    load(connection, bars(("2025-03-18", 10.0, 12.0, 9.0, 11.0, 1000, "2025-03-18"), meta_id=2))
    assert newest_sessions(connection, "US") == {1: date(2026, 3, 18), 2: date(2025, 3, 18)}


def test_the_first_return_of_a_range_is_from_the_close_before_it(connection: Connection) -> None:
    ticker(connection, "MSFT")
    days = [("2026-03-02", 10.0), ("2026-03-16", 11.0), ("2026-03-17", 13.2)]  # a pause of two weeks
    load(connection, bars(*((day, close, close, close, close, 1, day) for day, close in days)))
    days_of, closes = adjusted_closes(connection, 1, date(2026, 3, 16), date(2026, 3, 17))
    assert (days_of.astype(str).tolist(), closes.tolist()) == (["2026-03-16", "2026-03-17"], [11.0, 13.2])
    returns = [price.gross_return for price in prices(connection, 1, date(2026, 3, 16), date(2026, 3, 17))]
    assert returns == [pytest.approx(0.1), pytest.approx(0.2)]
    (first,) = prices(connection, 1, date(2026, 3, 2), date(2026, 3, 2))
    assert first.gross_return is None


def test_a_ticker_whose_currency_changed(connection: Connection) -> None:
    ticker(connection, "MOVED")
    load(connection, bars(("2026-03-17", 10.0, 10.0, 10.0, 10.0, 1, "2026-03-17")), currency="GBP")
    load(connection, bars(("2026-03-18", 12.0, 12.0, 12.0, 12.0, 1, "2026-03-18")), currency="USD")
    found = prices(connection, 1, date(2026, 3, 1), date(2026, 3, 31))
    assert [(price.trade_date, price.currency) for price in found] == [
        (date(2026, 3, 17), "GBP"),
        (date(2026, 3, 18), "USD"),
    ]
    assert prices(connection, 1, date(2026, 4, 1), date(2026, 4, 30)) == []
    assert history(connection, 1, date(2026, 3, 17), date(2026, 3, 18)).currency is None
    assert history(connection, 1, date(2026, 3, 18), date(2026, 3, 18)).currency == "USD"
    assert history(connection, 1, date(2026, 3, 20), date(2026, 3, 20)).currency is None


@pytest.mark.parametrize("revisions", [2, 60], ids=["revised seldom", "revised often"])
def test_a_series_as_of_a_day(connection: Connection, revisions: int) -> None:
    """Of each base_date the vintages of so many days in a row, the value being which of them it is."""
    macro(connection, "NFCI")
    bases = [date(2026, 1, 2) + timedelta(weeks=week) for week in range(3)]
    rows = [(base, base + timedelta(days=turn), float(turn)) for base in bases for turn in range(1, revisions + 1)]
    load_series(connection, vintages(*((str(base), str(known), value) for base, known, value in rows)))
    last = float(revisions)
    assert read.observations(connection, "NFCI") == [
        Observation(base, last, base + timedelta(days=revisions)) for base in bases
    ]
    assert read.observations(connection, "NFCI", date(2026, 1, 11)) == [
        Observation(bases[0], min(9.0, last), bases[0] + timedelta(days=min(9, revisions))),
        Observation(bases[1], 2.0, date(2026, 1, 11)),
    ]
    assert read.observations(connection, "NFCI", date(2026, 1, 2)) == []
    assert read.observations(connection, "UNKNOWN") == []
