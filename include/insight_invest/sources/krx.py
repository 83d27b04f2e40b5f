"""The whole Korean market of a day: KRX's listing, through finance-datareader.

KRX itself has needed a login since 2025-12-27; the library reads a public cache of its daily listing, which stalls now
and then: an older session than the market has had is a StaleSource.
"""

import io
from datetime import date, datetime
from http.client import HTTPException
from urllib.error import HTTPError

import pandas as pd
import requests

from include.insight_invest.errors import SourceError, SourceUnavailable, StaleSource, Throttled
from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import BAR_COLUMNS
from include.insight_invest.sources.calling import quiet, retrying, socket_timeout
from include.insight_invest.sources.reader import Requests, finance_datareader, reason_of, without_halt_zeros

# FinanceDataReader.krx.listing.KrxMarcapListingCache, finance-datareader 0.9.202
_DATED = "https://raw.githubusercontent.com/FinanceData/fdr_krx_data_cache/refs/heads/master/data/listing/krx/{}.csv"
_LARGEST = 9e18  # what a bigint holds
_SNAPSHOT_COLUMNS = {"Code", "ISU_CD", "Name", "Market", "Open", "High", "Low", "Close", "Volume", "Marcap", "MarketId"}
_MARKET_IDS = {"STK", "KSQ", "KNX"}  # the last column: a listing that was cut short does not end in one


class Snapshot:
    """The ``krx`` source: every listed share of the newest session, in three requests."""

    name = "krx"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = Requests(settings.timeout)

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent."""
        return self._http.count

    def market(self, session: date) -> pd.DataFrame:
        """KRX's listing of ``session``: one row per share with Code, ISU_CD, Name, Market, OHLCV (won), Marcap.

        Raises StaleSource where the newest listing is of an earlier session, SourceUnavailable where it cannot be read,
        NotFound where that session's is not kept.
        """
        listing, day = retrying(self._read, self._settings, what="KRX listing")
        if day < session:
            raise StaleSource(f"the newest KRX listing is of {day}, the market's last session was {session}")
        return listing if day == session else self.earlier(session)

    def earlier(self, session: date) -> pd.DataFrame:
        """The listing of a ``session`` before the newest, from the same cache. Raises NotFound, SourceUnavailable."""
        return retrying(lambda: self._dated(session), self._settings, what=f"KRX listing {session}")

    def newest(self) -> pd.DataFrame:
        """The newest listing, of whatever session: what is listed changes slowly. Raises SourceUnavailable."""
        return retrying(self._read, self._settings, what="KRX listing")[0]

    def _read(self) -> tuple[pd.DataFrame, date]:
        fdr = finance_datareader()
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
            raise SourceUnavailable(f"KRX's listing of {session} cannot be read: {reason_of(error)}") from error
        return _checked(listing.reset_index(drop=True))


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
    """The listing as definitions, with tb_meta's columns; the first row of a code that is there twice."""
    marketcap = pd.to_numeric(listing["Marcap"], errors="coerce")
    return pd.DataFrame(
        {
            "ticker": listing["Code"],
            "name": listing["Name"],
            "isin": listing["ISU_CD"],
            "security_type": "STOCK",
            "asset_class": "EQUITY",
            "iso_code": "KR",
            "market": listing["Market"].str.split().str[0],
            "marketcap": marketcap.where(marketcap.between(0, _LARGEST)),
        }
    ).drop_duplicates("ticker")


def _checked(listing: pd.DataFrame) -> pd.DataFrame:
    missing = _SNAPSHOT_COLUMNS - set(listing.columns)
    if missing or listing.empty:
        raise SourceUnavailable(f"KRX's listing is not one: {len(listing)} rows, without {sorted(missing)}")
    if listing["MarketId"].iloc[-1] not in _MARKET_IDS:
        raise SourceUnavailable(f"KRX's listing ends in the middle of row {len(listing)}")
    return listing[listing["Code"].str.fullmatch(r"[0-9A-Z]{6}", na=False)]


def _unreadable(error: Exception) -> SourceError:
    """The error of our tree that the library's is; when its first request fails, its own handler fails over that."""
    if isinstance(error, UnboundLocalError) and isinstance(error.__context__, SourceError):
        return error.__context__
    if isinstance(error, HTTPError):
        error.close()  # pandas leaves its connection open
        if error.code == 429:
            return Throttled("the cache of KRX's listing asks to slow down (429)")
    return SourceUnavailable(f"KRX's listing cannot be read: {reason_of(error.__context__ or error)}")


def _working_day(text: str) -> date:
    import json

    return datetime.strptime(json.loads(text)["result"]["output"][0]["max_work_dt"], "%Y%m%d").date()  # noqa: DTZ007
