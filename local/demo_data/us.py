"""US prices: real daily bars of 2000-2013, worded as Yahoo's v8 chart endpoint words them.

Source: ``bokeh_sampledata.stocks`` (Quandl WIKI Prices, declared public domain): open, high, low, close and volume as
traded on the day, and ``adj_close``. There, adj_close / close moves by (split ratio) x (1 + dividend / close) on an
ex-date, to thirteen digits, and on no other day (seen in all five series). So every dividend is read off its own step
and lands on a cent exactly; none is taken from elsewhere and none is guessed. Google's class-C split of 2014 and
Apple's later splits scale a whole series and are no step within it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from include.insight_invest.sessions import session, sessions, zone
from local.demo_data.dates import CALENDAR_START, END

EXCHANGE: Final = "XNYS"
CENT_TOLERANCE: Final = 1e-6  # a dividend read off the data misses its cent by less than 1e-10 dollars
NO_STEP: Final = 1e-9  # adj_close / close of two ordinary days differs by less than 1e-12

# New shares for one old, by ex-date. Sources: investor.apple.com/faq (2:1 on 2000-06-21 and 2005-02-28),
# microsoft.com/investor/reports (2:1 on 2003-02-18); in the data as steps of exactly 2. No other split in the window.
SPLITS: Final[Mapping[str, Mapping[date, int]]] = MappingProxyType(
    {
        "AAPL": {date(2000, 6, 21): 2, date(2005, 2, 28): 2},
        "MSFT": {date(2003, 2, 18): 2},
    }
)


@dataclass(frozen=True)
class Company:
    """What the listings and Yahoo's ``meta`` say of a ticker; wording of the listings of 2026-08-22."""

    ticker: str
    name: str
    nasdaq: bool
    ipo_year: str
    sector: str
    industry: str


COMPANIES: Final = (
    Company("AAPL", "Apple Inc. Common Stock", True, "1980", "Technology", "Computer Manufacturing"),
    Company(
        "MSFT", "Microsoft Corporation Common Stock", True, "1986", "Technology",
        "Computer Software: Prepackaged Software",
    ),
    Company(
        "IBM", "International Business Machines Corporation Common Stock", False, "", "Technology",
        "Computer Manufacturing",
    ),
    Company(
        "GOOG", "Google Inc. Class A Common Stock", True, "2004", "Technology",
        "Computer Software: Programming Data Processing",
    ),
    Company(
        "FB", "Facebook, Inc. Class A Common Stock", True, "2012", "Technology",
        "Computer Software: Programming Data Processing",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class History:
    """One ticker as traded. Arrays are per session, ascending; prices in dollars per share of that day."""

    ticker: str
    dates: list[date]
    prices: Mapping[str, NDArray[np.float64]]  # open, high, low, close
    volume: NDArray[np.int64]  # shares of that day
    splits: NDArray[np.int64]  # new shares for one old where that day is the ex-date, else 1
    dividends: NDArray[np.float64]  # dollars per share of that day where that day is the ex-date, else 0


def history(ticker: str, redate: bool) -> History:
    """The package's bars of ``ticker``; with ``redate`` the k-th last bar lies on the k-th last session up to END."""
    from bokeh_sampledata import stocks

    data = getattr(stocks, ticker)
    true_dates = [date.fromisoformat(day) for day in data["date"]]
    dates = sessions(EXCHANGE, CALENDAR_START, END)[-len(true_dates) :] if redate else true_dates
    known = SPLITS.get(ticker, {})
    splits = np.array([known.get(day, 1) for day in true_dates], dtype=np.int64)
    prices = {name: np.array(data[name], dtype=np.float64) for name in ("open", "high", "low", "close")}
    volume = np.array(data["volume"], dtype=np.int64)
    return History(
        ticker, dates, prices, volume, splits, _dividends(prices["close"], np.array(data["adj_close"]), splits)
    )


def chart(traded: History) -> dict[str, Any]:
    """``traded`` as Yahoo's chart body: quotes and volume in the shares of the last day, with events and adjclose.

    adjclose is the split-adjusted close x the product, over dividends with a later ex-date, of
    (1 - dividend / close of the session before the ex-date).
    """
    later_splits = _product_of_later(traded.splits.astype(np.float64))
    quote = {name: values / later_splits for name, values in traded.prices.items()}
    dividends = traded.dividends / later_splits
    before_ex = np.concatenate(([np.inf], quote["close"][:-1]))
    adjclose = quote["close"] * _product_of_later(1 - dividends / before_ex)
    opens = [int(session(EXCHANGE, day).open.timestamp()) for day in traded.dates]
    result = {
        "meta": _meta(traded, quote, opens),
        "timestamp": opens,
        "events": _events(traded, dividends, opens),
        "indicators": {
            "quote": [
                {name: values.tolist() for name, values in quote.items()}
                | {"volume": (traded.volume * later_splits.astype(np.int64)).tolist()}
            ],
            "adjclose": [{"adjclose": adjclose.tolist()}],
        },
    }
    return {"chart": {"result": [result], "error": None}}


def _dividends(
    close: NDArray[np.float64], adj_close: NDArray[np.float64], splits: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The cash dividend per share of each ex-date, read off the steps of adj_close / close.

    Raises:
        ValueError: a step is neither a known split nor a dividend of whole cents, so the data are not those described.
    """
    factor = adj_close / close
    step = np.concatenate(([1.0], factor[1:] / factor[:-1])) / splits
    exact = np.where(np.abs(step - 1) > NO_STEP, close * (step - 1), 0.0)
    cents: NDArray[np.float64] = np.rint(exact * 100) / 100
    if np.any(np.abs(exact - cents) > CENT_TOLERANCE) or np.any(cents < 0):
        raise ValueError("bokeh-sampledata's adj_close moves by something that is neither a split nor a dividend")
    return cents


def _product_of_later(factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each position the product of all factors after it; 1 at the last."""
    return np.concatenate((np.cumprod(factors[:0:-1])[::-1], [1.0]))


def _events(traded: History, dividends: NDArray[np.float64], opens: list[int]) -> dict[str, Any]:
    events: dict[str, Any] = {}
    ex_dividend = [int(k) for k in np.flatnonzero(dividends)]
    if ex_dividend:
        events["dividends"] = {
            str(opens[k]): {"amount": round(float(dividends[k]), 6), "date": opens[k]} for k in ex_dividend
        }
    ex_split = [int(k) for k in np.flatnonzero(traded.splits != 1)]
    if ex_split:
        events["splits"] = {
            str(opens[k]): {
                "date": opens[k],
                "numerator": int(traded.splits[k]),
                "denominator": 1,
                "splitRatio": f"{traded.splits[k]}:1",
            }
            for k in ex_split
        }
    return events


def _meta(traded: History, quote: Mapping[str, NDArray[np.float64]], opens: list[int]) -> dict[str, Any]:
    company = next(company for company in COMPANIES if company.ticker == traded.ticker)
    last = session(EXCHANGE, traded.dates[-1])
    local = last.open.astimezone(zone(EXCHANGE))
    offset = local.utcoffset()
    clock = {"timezone": local.tzname(), "gmtoffset": int(offset.total_seconds()) if offset else 0}
    start, end = int(last.open.timestamp()), int(last.close.timestamp())
    pre, post = 5.5 * 3600, 4 * 3600  # extended hours run from 04:00 to 20:00 New York time
    year = slice(-252, None)
    return {
        "currency": "USD",
        "symbol": traded.ticker,
        "exchangeName": "NMS" if company.nasdaq else "NYQ",
        "fullExchangeName": "NasdaqGS" if company.nasdaq else "NYSE",
        "instrumentType": "EQUITY",
        "firstTradeDate": opens[0],
        "regularMarketTime": end + 1,
        "hasPrePostMarketData": True,
        **clock,
        "exchangeTimezoneName": "America/New_York",
        "regularMarketPrice": float(quote["close"][-1]),
        "fiftyTwoWeekHigh": float(quote["high"][year].max()),
        "fiftyTwoWeekLow": float(quote["low"][year].min()),
        "regularMarketDayHigh": float(quote["high"][-1]),
        "regularMarketDayLow": float(quote["low"][-1]),
        "regularMarketVolume": int(traded.volume[-1]),
        "longName": company.name,
        "shortName": company.name,
        "chartPreviousClose": float(quote["close"][0]),
        "priceHint": 2,
        "currentTradingPeriod": {
            "pre": {**clock, "start": start - int(pre), "end": start},
            "regular": {**clock, "start": start, "end": end},
            "post": {**clock, "start": end, "end": end + post},
        },
        "dataGranularity": "1d",
        "range": "max",
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    }
