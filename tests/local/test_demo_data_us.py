"""US charts of the demonstration: real bars, real splits and dividends, Yahoo's arithmetic."""

from datetime import UTC, date, datetime
from math import prod
from typing import Any

import pytest
from bokeh_sampledata import stocks

from local.demo_data.us import COMPANIES, chart, history

TICKERS = [company.ticker for company in COMPANIES]


def result(ticker: str, redate: bool = False) -> dict[str, Any]:
    body = chart(history(ticker, redate))["chart"]
    assert body["error"] is None
    found: dict[str, Any] = body["result"][0]
    return found


def bar(chart_result: dict[str, Any], day: date) -> dict[str, float]:
    """The quote of one day, and its adjclose."""
    days = [datetime.fromtimestamp(second, UTC).date() for second in chart_result["timestamp"]]
    at = days.index(day)
    indicators = chart_result["indicators"]
    quote = {name: values[at] for name, values in indicators["quote"][0].items()}
    return quote | {"adjclose": indicators["adjclose"][0]["adjclose"][at]}


def events(chart_result: dict[str, Any], kind: str) -> dict[date, dict[str, Any]]:
    found = chart_result["events"].get(kind, {}).values()
    return {datetime.fromtimestamp(event["date"], UTC).date(): event for event in found}


def test_the_last_bar_of_apple_is_as_traded() -> None:
    assert bar(result("AAPL"), date(2013, 3, 1)) == {
        "open": 438.00,
        "high": 438.1799,
        "low": 429.98,
        "close": 430.47,
        "volume": 19_730_300,
        "adjclose": 430.47,
    }


def test_bars_before_both_splits_are_in_the_shares_of_the_last_day() -> None:
    first = bar(result("AAPL"), date(2000, 3, 1))  # traded at 118.56 132.06 118.50 130.31, 9,616,100 shares
    assert (first["open"], first["high"], first["low"], first["close"]) == (29.64, 33.015, 29.625, 32.5775)
    assert first["volume"] == 38_464_400


@pytest.mark.parametrize(
    ("ticker", "splits"),
    [
        ("AAPL", {date(2000, 6, 21): "2:1", date(2005, 2, 28): "2:1"}),
        ("MSFT", {date(2003, 2, 18): "2:1"}),
        ("IBM", {}),
        ("GOOG", {}),
        ("FB", {}),
    ],
)
def test_splits(ticker: str, splits: dict[date, str]) -> None:
    assert {day: event["splitRatio"] for day, event in events(result(ticker), "splits").items()} == splits


@pytest.mark.parametrize(("ticker", "count"), [("AAPL", 3), ("MSFT", 37), ("IBM", 52), ("GOOG", 0), ("FB", 0)])
def test_number_of_dividends(ticker: str, count: int) -> None:
    assert len(events(result(ticker), "dividends")) == count


@pytest.mark.parametrize(
    ("ticker", "ex_date", "amount"),
    [
        ("AAPL", date(2012, 8, 9), 2.65),
        ("MSFT", date(2003, 2, 19), 0.08),
        ("MSFT", date(2004, 11, 15), 3.08),  # 0.08 and a special dividend of 3.00
        ("IBM", date(2000, 5, 8), 0.13),
        ("IBM", date(2013, 2, 6), 0.85),
    ],
)
def test_dividends_read_off_the_data_are_the_known_ones(ticker: str, ex_date: date, amount: float) -> None:
    assert events(result(ticker), "dividends")[ex_date]["amount"] == amount


@pytest.mark.parametrize("ticker", TICKERS)
def test_undoing_the_splits_gives_the_package_s_prices(ticker: str) -> None:
    served = result(ticker)
    splits = {event["date"]: event["numerator"] for event in served["events"].get("splits", {}).values()}
    later = [prod(ratio for ex, ratio in splits.items() if ex > second) for second in served["timestamp"]]
    package = getattr(stocks, ticker)
    for name in ("open", "high", "low", "close"):
        quoted = served["indicators"]["quote"][0][name]
        assert [price * ratio for price, ratio in zip(quoted, later, strict=True)] == package[name]
    volume = served["indicators"]["quote"][0]["volume"]
    assert [shares // ratio for shares, ratio in zip(volume, later, strict=True)] == package["volume"]


@pytest.mark.parametrize("ticker", TICKERS)
def test_adjclose_is_the_product_over_later_dividends(ticker: str) -> None:
    served = result(ticker)
    close = served["indicators"]["quote"][0]["close"]
    amounts = {event["date"]: event["amount"] for event in served["events"].get("dividends", {}).values()}
    expected, factor = [], 1.0
    for at in reversed(range(len(close))):
        expected.append(close[at] * factor)
        if amount := amounts.get(served["timestamp"][at]):
            factor *= 1 - amount / close[at - 1]
    assert served["indicators"]["adjclose"][0]["adjclose"] == pytest.approx(expected[::-1], rel=1e-6)


def test_a_bar_is_stamped_with_its_session_s_open() -> None:
    assert datetime.fromtimestamp(result("IBM")["timestamp"][0], UTC) == datetime(2000, 3, 1, 14, 30, tzinfo=UTC)


def test_redating_moves_the_calendar_and_no_value() -> None:
    true, moved = result("MSFT"), result("MSFT", redate=True)
    assert moved["indicators"] == true["indicators"]
    assert datetime.fromtimestamp(moved["timestamp"][-1], UTC) == datetime(2027, 12, 31, 14, 30, tzinfo=UTC)
    places = [true["timestamp"].index(event["date"]) for event in true["events"]["dividends"].values()]
    assert [moved["timestamp"].index(event["date"]) for event in moved["events"]["dividends"].values()] == places


def test_redated_tickers_keep_their_common_calendar() -> None:
    ends = {ticker: history(ticker, redate=True).dates[-196:] for ticker in TICKERS}
    assert all(days == ends["FB"] for days in ends.values())
    assert ends["FB"][0] == date(2027, 3, 24)
