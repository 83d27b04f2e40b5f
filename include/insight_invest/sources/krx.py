"""The whole Korean market of a day, and one ticker's history: KRX's listing and Naver, through finance-datareader.

finance-datareader fails silently: it prints a line and gives an empty frame, and it sets no time-out. Both are mended
here, where its answers are read. KRX itself has needed a login since 2025-12-27; the library reads a public cache of
its daily listing, which stalls now and then: an older session than the market has had is a StaleSource.
"""

import io
import logging
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cache
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import requests

from include.insight_invest.errors import NotFound, SourceError, SourceUnavailable, StaleSource, Throttled
from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import ACTION_COLUMNS, BAR_COLUMNS, Answer, State, Wanted, batches
from include.insight_invest.sources.calling import Pace, quiet, retrying, socket_timeout

log = logging.getLogger(__name__)

CURRENCY = "KRW"
HISTORY_BATCH_TICKERS = 25
# FinanceDataReader.krx.listing.KrxMarcapListingCache, finance-datareader 0.9.202
_DATED = "https://raw.githubusercontent.com/FinanceData/fdr_krx_data_cache/refs/heads/master/data/listing/krx/{}.csv"
_SNAPSHOT_COLUMNS = {"Code", "ISU_CD", "Name", "Market", "Open", "High", "Low", "Close", "Volume", "Marcap", "MarketId"}
_MARKET_IDS = {"STK", "KSQ", "KNX"}  # the last column: a listing that was cut short does not end in one


class _Requests:
    """What finance-datareader knows as ``requests``: the same calls with a time-out, counted, the last answer kept."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.count = 0
        self.answered = 0
        self.last_text = ""

    def get(self, url: str, **kwargs: Any) -> requests.Response:
        """GET ``url``; raises Throttled on 429 and SourceUnavailable on any other refusal."""
        self.count += 1
        response = requests.get(url, timeout=self.timeout, **kwargs)
        if response.status_code == 429:
            raise Throttled(f"{_host(url)} asks to slow down (429)")
        if response.status_code >= 400:
            raise SourceUnavailable(f"{_host(url)} answered HTTP {response.status_code}")
        self.answered += 1
        self.last_text = response.text
        return response


class Snapshot:
    """The ``krx`` source: every listed share of the newest session, in three requests."""

    name = "krx"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = _Requests(settings.timeout)

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent."""
        return self._http.count

    def market(self, session: date) -> pd.DataFrame:
        """KRX's listing of ``session``: one row per share with Code, ISU_CD, Name, Market, OHLCV (won), Marcap.

        Raises StaleSource where the newest listing is of an earlier session, SourceUnavailable where there is none.
        """
        listing, day = retrying(self._read, self._settings, what="KRX listing")
        if day < session:
            raise StaleSource(f"the newest KRX listing is of {day}, the market's last session was {session}")
        return listing if day == session else self.earlier(session)

    def earlier(self, session: date) -> pd.DataFrame:
        """The listing of a ``session`` before the newest, from the same cache. Raises SourceUnavailable."""
        return retrying(lambda: self._dated(session), self._settings, what=f"KRX listing {session}")

    def newest(self) -> pd.DataFrame:
        """The newest listing, of whatever session: what is listed changes slowly. Raises SourceUnavailable."""
        return retrying(self._read, self._settings, what="KRX listing")[0]

    def _read(self) -> tuple[pd.DataFrame, date]:
        fdr = _finance_datareader()
        fdr.krx.listing.requests = self._http
        self._http.answered = 0
        try:
            with socket_timeout(self._settings.timeout), quiet("finance-datareader"):
                listing = fdr.StockListing("KRX")
            day = _working_day(self._http.last_text)
        except SourceError:
            raise
        except (OSError, HTTPException, ValueError, KeyError, IndexError, TypeError, UnboundLocalError) as error:
            raise _unreadable(error) from error
        finally:
            # after two answers to requests, the listing itself goes by pandas
            self._http.count += self._http.answered == 2
        return _checked(listing), day

    def _dated(self, session: date) -> pd.DataFrame:
        # finance-datareader reads only the newest file of its cache; the earlier ones lie beside it.
        try:
            body = self._http.get(_DATED.format(session)).content
            listing = pd.read_csv(io.BytesIO(body), index_col=0, dtype={"Code": str, "Dept": str, "ChangeCode": str})
        except (requests.RequestException, ValueError) as error:
            raise SourceUnavailable(f"KRX's listing of {session} cannot be read: {_reason(error)}") from error
        return _checked(listing.reset_index(drop=True))


class Naver:
    """The ``naver`` source: one Korean ticker's whole history a request."""

    name = "naver"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = _Requests(settings.timeout)
        self._pace = Pace(settings.naver_rate)

    def prices(self, wanted: Sequence[Wanted]) -> Iterator[Answer]:
        """Answer in batches of 25 tickers. After a 429 nothing more is asked.

        Naver quotes prices in the shares of the day it is asked, volume as it was traded.
        """
        throttled = False
        for batch in batches(wanted, HISTORY_BATCH_TICKERS):
            before = self._http.count
            answer = Answer(
                source=self.name,
                currency=CURRENCY,
                bars=pd.DataFrame(columns=list(BAR_COLUMNS)),
                actions=pd.DataFrame(columns=list(ACTION_COLUMNS)),
                asked=[item.target for item in batch],
                volume_is_adjusted=False,
            )
            frames = []
            for item in batch:
                try:
                    if throttled:
                        raise Throttled("not asked: Naver asked to slow down (429) earlier in this run")
                    frames.append(self._bars(item))
                except SourceError as error:
                    throttled = throttled or isinstance(error, Throttled)
                    answer.problems[item.target.ticker] = _problem(error)
            if frames:
                answer.bars = pd.concat(frames, ignore_index=True)
            answer.requests = self._http.count - before
            yield answer

    def _bars(self, wanted: Wanted) -> pd.DataFrame:
        code = wanted.target.ticker
        history = retrying(lambda: self._history(code), self._settings, what=f"Naver {code}")
        newest = history.index[-1]
        window = wanted.window
        mine = history.loc[pd.Timestamp(window.start or date(1900, 1, 1)) : pd.Timestamp(window.session)]
        bars = pd.DataFrame(
            {
                "meta_id": wanted.target.meta_id,
                "ticker": code,
                "trade_date": mine.index,
                **{
                    name.lower(): mine[name].to_numpy(dtype=float)
                    for name in ("Open", "High", "Low", "Close", "Volume")
                },
                "basis_date": newest,
            },
            columns=list(BAR_COLUMNS),
        )
        return without_halt_zeros(bars)

    def _history(self, code: str) -> pd.DataFrame:
        self._pace.wait()
        fdr = _finance_datareader()
        fdr.naver.data.requests = self._http
        try:
            with quiet("finance-datareader"):
                history: pd.DataFrame = fdr.DataReader(f"NAVER:{code}", "1900-01-01")
        except SourceError:
            raise
        except (requests.RequestException, OSError, ValueError, KeyError) as error:
            raise SourceUnavailable(f"Naver did not answer for {code}: {_reason(error)}") from error
        if "</protocol>" not in self._http.last_text:
            # the library would take half a chart, or a page of HTML, for all there is
            raise SourceUnavailable(f"Naver's answer for {code} is not a whole chart")
        if history.empty:
            raise NotFound(f"Naver has nothing for {code}")
        return history


def snapshot_bars(listing: pd.DataFrame, meta_ids: dict[str, int], session: date) -> pd.DataFrame:
    """The listing's bars (BAR_COLUMNS): as traded that day, a share without a close left out."""
    numbers = {
        name: pd.to_numeric(listing[name], errors="coerce") for name in ("Open", "High", "Low", "Close", "Volume")
    }
    bars = pd.DataFrame(
        {
            "meta_id": listing["Code"].map(meta_ids),
            "ticker": listing["Code"],
            "trade_date": pd.Timestamp(session),
            **{name.lower(): values.astype(float) for name, values in numbers.items()},
            "basis_date": pd.Timestamp(session),
        }
    )
    known = bars[bars["meta_id"].notna() & bars["close"].notna()]
    return without_halt_zeros(known.astype({"meta_id": int}))[list(BAR_COLUMNS)].reset_index(drop=True)


def snapshot_definitions(listing: pd.DataFrame) -> pd.DataFrame:
    """The listing as definitions, with tb_meta's columns."""
    return pd.DataFrame(
        {
            "ticker": listing["Code"],
            "name": listing["Name"],
            "isin": listing["ISU_CD"],
            "security_type": "STOCK",
            "asset_class": "EQUITY",
            "iso_code": "KR",
            "market": listing["Market"].str.split().str[0],
            "marketcap": pd.to_numeric(listing["Marcap"], errors="coerce"),
        }
    )


def without_halt_zeros(bars: pd.DataFrame) -> pd.DataFrame:
    """A halted day comes as open = high = low = 0 with a close: there was no trade, so those are not prices."""
    halted = (bars["open"] == 0) & (bars["high"] == 0) & (bars["low"] == 0)
    return bars.assign(**{name: bars[name].mask(halted, np.nan) for name in ("open", "high", "low")})


def _checked(listing: pd.DataFrame) -> pd.DataFrame:
    missing = _SNAPSHOT_COLUMNS - set(listing.columns)
    if missing or listing.empty:
        raise SourceUnavailable(f"KRX's listing is not one: {len(listing)} rows, without {sorted(missing)}")
    if listing["MarketId"].iloc[-1] not in _MARKET_IDS:
        raise SourceUnavailable(f"KRX's listing ends in the middle of row {len(listing)}")
    return listing


def _unreadable(error: Exception) -> SourceError:
    """The error of our tree that the library's is; when its first request fails, its own handler fails over that."""
    if isinstance(error, UnboundLocalError) and isinstance(error.__context__, SourceError):
        return error.__context__
    if isinstance(error, HTTPError):
        error.close()  # pandas leaves its connection open
        if error.code == 429:
            return Throttled("the cache of KRX's listing asks to slow down (429)")
    return SourceUnavailable(f"KRX's listing cannot be read: {_reason(error.__context__ or error)}")


@cache
def _finance_datareader() -> Any:
    with quiet("finance-datareader"):
        import FinanceDataReader as fdr
    return fdr


def _working_day(text: str) -> date:
    import json

    return datetime.strptime(json.loads(text)["result"]["output"][0]["max_work_dt"], "%Y%m%d").date()  # noqa: DTZ007


def _problem(error: SourceError) -> tuple[State, str]:
    if isinstance(error, Throttled):
        return State.THROTTLED, str(error)
    return (State.EMPTY if isinstance(error, NotFound) else State.FAILED), str(error)


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
