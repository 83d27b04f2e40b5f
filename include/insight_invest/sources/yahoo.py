"""Yahoo, through yfinance: US bars, dividends and splits, and the second source for Korea.

Each ticker is one request, with yfinance's errors un-hidden. Yahoo quotes the whole history in the shares of the day it
is asked; here that is put back into the shares of the last wanted session, so that a past run gives what it gave then.
"""

import atexit
import logging
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from json import JSONDecodeError
from typing import Any

import numpy as np
import pandas as pd

from include.insight_invest.errors import (
    InsightError,
    NotFound,
    SourceError,
    SourceUnavailable,
    Throttled,
    UniverseError,
)
from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import (
    ACTION_COLUMNS,
    BAR_COLUMNS,
    MINOR_UNITS,
    Answer,
    Wanted,
    Window,
    batches,
    problem,
)
from include.insight_invest.sources.calling import Pace, Turns, retrying
from include.insight_invest.sources.symbols import yahoo_symbol

log = logging.getLogger(__name__)

BATCH_TICKERS = 25
# Of years of bars fewer at once: what a batch takes of memory while it is checked is what a run takes at most.
HISTORY_TICKERS = 10
_HISTORY_DAYS = 400
ZONES = {"US": "America/New_York", "KR": "Asia/Seoul"}
EARLIEST = date(1900, 1, 1)


@dataclass(frozen=True)
class _History:
    bars: pd.DataFrame
    actions: pd.DataFrame
    currency: str


class Yahoo:
    """The ``yahoo`` source. ``iso_code`` decides how tickers are written (``sources/symbols.py``)."""

    name = "yahoo"

    def __init__(self, settings: Settings, iso_code: str, turns: Turns | None = None) -> None:
        self._settings = settings
        self._iso_code = iso_code
        self._pace = Pace(self.name, settings.rate_of(self.name), turns)
        self._throttled = threading.Event()
        self._client = _Client(settings.timeout, ZONES[iso_code], self._pace)

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent."""
        return self._client.requests

    def prices(self, wanted: Sequence[Wanted]) -> Iterator[Answer]:
        """Answer in batches of tickers, on at most 4 threads. After a 429 nothing more is asked.

        Raises SourceUnavailable after a first batch without a single answer: Yahoo is down.
        """
        pool = ThreadPoolExecutor(self._settings.yahoo_threads, thread_name_prefix="yahoo")
        try:
            for number, batch in enumerate(_batches(wanted)):
                asked_before = self._client.requests
                results = list(pool.map(self._ask, batch))
                yield from self._answers(batch, results, self._client.requests - asked_before)
                outages = [result for result in results if isinstance(result, SourceUnavailable)]
                if number == 0 and outages and not any(isinstance(result, _History) for result in results):
                    raise outages[0]
        except BaseException:
            self._pace.stop()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # who is stopped by SIGTERM has no time to wait

    def _answers(
        self, batch: Sequence[Wanted], results: Sequence["_History | SourceError"], requests: int
    ) -> Iterator[Answer]:
        """One answer per currency, so that each is loaded with its own."""
        problems = {
            item.target.ticker: problem(result)
            for item, result in zip(batch, results, strict=True)
            if isinstance(result, SourceError)
        }
        histories = [(item, r) for item, r in zip(batch, results, strict=True) if isinstance(r, _History)]
        currencies = sorted({history.currency for _, history in histories}) or [""]
        for currency in currencies:
            mine = [(item, history) for item, history in histories if history.currency == currency]
            first = currency == currencies[0]
            yield Answer(
                source=self.name,
                currency=currency,
                bars=_concat([history.bars for _, history in mine], BAR_COLUMNS),
                actions=_concat([history.actions for _, history in mine], ACTION_COLUMNS),
                asked=[item.target for item in batch if first and item.target.ticker in problems]
                + [item.target for item, _ in mine],
                problems=problems if first else {},
                requests=requests if first else 0,
                until=max(item.window.session for item in batch),
            )

    def _ask(self, wanted: Wanted) -> "_History | SourceError":
        ticker = wanted.target.ticker
        try:
            symbol = yahoo_symbol(ticker, self._iso_code, wanted.target.market)
            return retrying(lambda: self._history(symbol, wanted), self._settings, what=f"Yahoo {symbol}")
        except Throttled as error:
            self._throttled.set()
            self._pace.stop()  # who waits for a turn does not get one
            return error
        except SourceError as error:
            log.warning("%s: %s", ticker, error)
            return error
        except UniverseError as error:
            # What tb_meta says of it cannot be asked of Yahoo: that is this ticker's failure, not the run's.
            return SourceError(str(error))

    def _history(self, symbol: str, wanted: Wanted) -> _History:
        if self._throttled.is_set():
            raise Throttled("not asked: Yahoo asked to slow down (429) earlier in this run")
        start = wanted.window.start or EARLIEST
        frame, currency = self._client.history(symbol, min(start, wanted.window.actions_from or start))
        if frame.empty:
            return _History(_concat([], BAR_COLUMNS), _concat([], ACTION_COLUMNS), currency)
        if not _is_currency(currency):
            raise SourceError(f"Yahoo names no currency for {symbol}")
        return _History(*_as_of(frame, wanted), currency=currency)


class _Client:
    """yfinance, with a session of its own that counts requests and caches that no other process shares."""

    def __init__(self, timeout: float, zone: str, pace: Pace) -> None:
        self._yf = _yfinance()  # here, before there are threads: it is set up once
        self._timeout = timeout
        self._zone = zone
        self._pace = pace
        self._count = 0
        self._lock = threading.Lock()
        self._session: Any = None

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent."""
        return self._count

    def history(self, symbol: str, start: date) -> tuple[pd.DataFrame, str]:
        """Daily bars and events from ``start`` to the source's present as Yahoo quotes them, and their currency.

        Without an end: an answer about the past alone yfinance would keep for the whole process, a failure too.
        """
        ticker = self._yf.Ticker(symbol, session=self._open())
        # Told the time zone, yfinance does not ask for it: one request a ticker instead of two. Not by its own cache,
        # an SQLite file that two threads cannot open for the first time at once ("database is locked").
        ticker._tz = self._zone
        try:
            frame = ticker.history(
                start=start, interval="1d", auto_adjust=False, actions=True, timeout=self._timeout, keepna=False
            )
            # what is not numbers by days is no chart either
            frame = frame.astype(float).set_index(pd.DatetimeIndex(frame.index))
            return frame, str(ticker.history_metadata.get("currency") or "")
        except InsightError:
            raise
        except Exception as error:
            raise _named(symbol, error) from error

    def _open(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = self._yf.data.new_session()
                send = self._session.request

                def counted(*args: Any, **kwargs: Any) -> Any:
                    self._pace.wait()
                    with self._lock:
                        self._count += 1
                    return send(*args, **kwargs)

                self._session.request = counted
            return self._session


@cache
def _yfinance() -> Any:
    import yfinance as yf
    import yfinance.data

    yf.config.debug.hide_exceptions = False
    # Its caches are SQLite files, which lock out other processes.
    folder = tempfile.mkdtemp(prefix="insight-yfinance-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yf.set_tz_cache_location(folder)
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # its errors are raised, and logged by us
    assert yfinance.data  # noqa: S101 (imported for its side effect)
    return yf


def _named(symbol: str, error: Exception) -> SourceError:
    """The error of our tree that yfinance's ``error`` is."""
    from yfinance.exceptions import YFException, YFPricesMissingError, YFRateLimitError, YFTzMissingError

    if isinstance(error, YFRateLimitError):
        return Throttled("Yahoo asks to slow down (429)")
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 404 or isinstance(error, YFTzMissingError):
        return NotFound(f"Yahoo does not know {symbol}")
    if isinstance(error, YFPricesMissingError):
        return NotFound(f"Yahoo has no prices for {symbol}")
    if not isinstance(error, OSError | YFException | JSONDecodeError):  # curl_cffi's errors are OSErrors
        return SourceUnavailable(f"Yahoo's answer for {symbol} is not a chart")
    return SourceUnavailable(f"Yahoo did not answer for {symbol}: {type(error).__name__}")


def _is_currency(text: str) -> bool:
    """Whether ``text`` is written as an ISO 4217 code, or as one of the hundredths that Yahoo quotes in."""
    return text in MINOR_UNITS or re.fullmatch("[A-Z]{3}", text) is not None


def _as_of(frame: pd.DataFrame, wanted: Wanted) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bars and actions up to the wanted session, in its shares: later splits are taken out again."""
    session = pd.Timestamp(wanted.window.session)
    day = pd.DatetimeIndex(frame.index).tz_localize(None).normalize()
    splits = frame["Stock Splits"].to_numpy(dtype=float)
    ratio = float(splits[(splits > 0) & (day > session)].prod())
    known: pd.DataFrame = frame.loc[day <= session]
    known_day = day[day <= session]
    target = wanted.target
    bars = pd.DataFrame(
        {
            "meta_id": target.meta_id,
            "ticker": target.ticker,
            "trade_date": known_day,
            **{name.lower(): known[name].to_numpy(dtype=float) * ratio for name in ("Open", "High", "Low", "Close")},
            "volume": known["Volume"].to_numpy(dtype=float) / ratio,
            "basis_date": session,
        },
        columns=list(BAR_COLUMNS),
    )
    events = [
        _events(known, known_day, "Stock Splits", "split", 1.0),
        _events(known, known_day, "Dividends", "dividend", ratio),
        _events(known, known_day, "Capital Gains", "capital_gain", ratio),
    ]
    actions = pd.concat(events, ignore_index=True).assign(
        meta_id=target.meta_id, ticker=target.ticker, basis_date=session
    )
    return bars, actions[list(ACTION_COLUMNS)]


def _events(frame: pd.DataFrame, day: pd.DatetimeIndex, column: str, kind: str, ratio: float) -> pd.DataFrame:
    values = frame[column].to_numpy(dtype=float) if column in frame else np.zeros(len(day))
    happened = values > 0
    return pd.DataFrame({"ex_date": day[happened], "kind": kind, "value": values[happened] * ratio})


def _batches(wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    """Those of whom little is wanted first."""
    histories = [one for one in wanted if _is_history(one.window)]
    yield from batches([one for one in wanted if not _is_history(one.window)], BATCH_TICKERS)
    yield from batches(histories, HISTORY_TICKERS)


def _is_history(window: Window) -> bool:
    return window.start is None or (window.session - window.start).days > _HISTORY_DAYS


def _concat(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [frame for frame in frames if not frame.empty]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))
