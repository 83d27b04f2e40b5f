"""The whole Korean market of a day: KRX's listing, through finance-datareader.

KRX itself has needed a login since 2025-12-27; the library reads a public cache of its daily listing, which stalls now
and then: an older session than the market has had is a StaleSource. Beside the newest listing the cache keeps those of
earlier sessions, each corrected until some time after its close.
"""

import io
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http.client import HTTPException
from urllib.error import HTTPError

import pandas as pd

from include.insight_invest import sessions
from include.insight_invest.errors import InsightError, SourceError, SourceUnavailable, StaleSource, Throttled
from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import ACTION_COLUMNS, BAR_COLUMNS, Answer, State, Wanted
from include.insight_invest.sources.calling import Pace, Turns, quiet, retrying, socket_timeout
from include.insight_invest.sources.krx_rows import shares_of, snapshot_bars
from include.insight_invest.sources.reader import (
    CURRENCY,
    Requests,
    finance_datareader,
    reason_of,
)

log = logging.getLogger(__name__)

# FinanceDataReader.krx.listing.KrxMarcapListingCache, finance-datareader 0.9.202
_DATED = "https://raw.githubusercontent.com/FinanceData/fdr_krx_data_cache/refs/heads/master/data/listing/krx/{}.csv"
_INFINITE = [math.inf, -math.inf]


@dataclass(kw_only=True)
class Listed(Answer):
    """The market of one ``session``; ``stocks``, the number of shares of each company, is aligned with ``bars``.

    ``listed`` is every code in the listing, as it was written that day.
    """

    session: date
    stocks: "pd.Series[float]"
    listed: frozenset[str]


class Snapshot:
    """The ``krx`` source: every listed share of the newest session in three requests, of an earlier one in one.

    ``lost`` is {session: why} of the earlier sessions whose listing could not be read.
    """

    name = "krx"

    def __init__(
        self,
        settings: Settings,
        renamed: Callable[[date], dict[str, str]] = lambda _: {},
        turns: Turns | None = None,
    ) -> None:
        """``renamed`` gives the codes of a session that are others today: {then: now}."""
        self._settings = settings
        self._renamed = renamed
        self._pace = Pace(self.name, settings.rate_of(self.name), turns)
        self._http = Requests(settings.timeout, self._pace)
        self._told = 0
        self._newest: tuple[date, pd.DataFrame] | None = None
        self.lost: dict[date, SourceError] = {}

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent."""
        return self._http.count

    def untold_requests(self) -> int:
        """How many requests were sent that no answer has told of yet."""
        told, self._told = self._told, self._http.count
        return self._told - told

    def prices(self, wanted: Sequence[Wanted]) -> Iterator[Listed]:
        """Answer session by session, the oldest first, each with every ticker whose window holds it.

        At most two listings are held at a time. Raises StaleSource or SourceUnavailable where the newest session's is
        of no use; what is wrong with an earlier one is in ``lost``. After a 429 no earlier one is asked for.
        """
        if not wanted:
            return
        newest = max(item.window.session for item in wanted)
        first = min(item.window.start or newest for item in wanted)
        listing = self.market(newest)
        earlier = sessions.sessions("XKRX", first, newest)[:-1]
        yield from self.earlier_prices(
            earlier, lambda day, _: [item for item in wanted if (item.window.start or newest) <= day]
        )
        yield self._answer(listing, wanted, newest)

    def earlier_prices(
        self, days: Sequence[date], wanted: Callable[[date, pd.DataFrame], Sequence[Wanted]]
    ) -> Iterator[Listed]:
        """Answer for each of ``days`` by its own listing, one request each; what cannot be read is in ``lost``.

        ``wanted`` is told the day and its listing, and gives the tickers that are wanted of it; of none, no answer.
        """
        for day in days:
            try:
                if any(isinstance(error, Throttled) for error in self.lost.values()):
                    raise Throttled(f"KRX's listing of {day} was not asked for: its cache asked to slow down (429)")
                listing = self.earlier(day)
                answer = self._answer(listing, items, day) if (items := wanted(day, listing)) else None
            except SourceError as error:
                log.info("%s", error)
                self.lost[day] = error
                continue
            if answer is not None:
                yield answer

    def stocks(self, session: date) -> "pd.Series[float]":
        """{ticker: number of shares} of an earlier session. Raises NotFound, SourceUnavailable."""
        listing = self.earlier(session)
        codes = listing["Code"].replace(self._renamed(session))
        return pd.to_numeric(listing["Stocks"], errors="coerce").astype(float).groupby(codes).first()

    def market(self, session: date) -> pd.DataFrame:
        """KRX's listing of ``session``, read once: one row per share with Code, ISU_CD, Name, Market, OHLCV (won),
        Changes (won, against the base price), Stocks, Marcap.

        Raises StaleSource where the newest listing is of an earlier session, SourceUnavailable where it cannot be read,
        NotFound where that session's is not kept.
        """
        if self._newest is None or self._newest[0] != session:
            listing, day = retrying(self._read, self._settings, what="KRX listing")
            if day < session:
                raise StaleSource(f"the newest KRX listing is of {day}, the market's last session was {session}")
            self._newest = session, listing if day == session else self.earlier(session)
        return self._newest[1]

    def earlier(self, session: date) -> pd.DataFrame:
        """The listing of a ``session`` before the newest, from the same cache. Raises NotFound, SourceUnavailable."""
        return retrying(lambda: self._dated(session), self._settings, what=f"KRX listing {session}")

    def newest(self) -> pd.DataFrame:
        """The newest listing, of whatever session: what is listed changes slowly. Raises SourceUnavailable."""
        return self.newest_dated()[0]

    def newest_dated(self) -> tuple[pd.DataFrame, date]:
        """The newest listing, and its session. Raises SourceUnavailable."""
        return retrying(self._read, self._settings, what="KRX listing")

    def _answer(self, listing: pd.DataFrame, wanted: Sequence[Wanted], day: date) -> Listed:
        meta_ids = {item.target.ticker: item.target.meta_id for item in wanted}
        codes = frozenset(listing["Code"])
        if renamed := self._renamed(day):
            listing = listing.assign(Code=listing["Code"].replace(renamed))
        bars = snapshot_bars(listing, meta_ids, day)
        priced = set(bars["ticker"])
        if meta_ids and not priced:
            raise SourceUnavailable(f"KRX's listing of {day} has no closes")
        listed = set(listing["Code"])
        return Listed(
            source=self.name,
            currency=CURRENCY,
            bars=bars[list(BAR_COLUMNS)],
            actions=pd.DataFrame(columns=list(ACTION_COLUMNS)),
            asked=[item.target for item in wanted],
            problems={
                ticker: (State.EMPTY, "listed, but without a close" if ticker in listed else "not in KRX's listing")
                for ticker in meta_ids
                if ticker not in priced
            },
            requests=self.untold_requests(),
            until=day,
            base=(bars["close"] - bars["changes"]).mask(lambda base: base.isin(_INFINITE)),
            session=day,
            stocks=bars["stocks"],
            listed=codes,
        )

    def _read(self) -> tuple[pd.DataFrame, date]:
        fdr = finance_datareader()
        fdr.krx.listing.requests = self._http
        self._http.answered = 0
        self._pace.wait()  # the turn of the third request, which goes by pandas as soon as the second is answered
        try:
            with socket_timeout(self._settings.timeout), quiet("finance-datareader"):
                listing = fdr.StockListing("KRX")
            day = _working_day(self._http.last_text)
        except InsightError:
            raise
        except Exception as error:
            raise _unreadable(error) from error
        finally:
            # after two answers to requests, the listing itself goes by pandas
            self._http.count += self._http.answered == 2
        return shares_of(listing), day

    def _dated(self, session: date) -> pd.DataFrame:
        # finance-datareader reads only the newest file of its cache; the earlier ones lie beside it.
        try:
            body = self._http.get(_DATED.format(session)).content
            listing = pd.read_csv(io.BytesIO(body), index_col=0, dtype={"Code": str, "Dept": str, "ChangeCode": str})
        except InsightError:
            raise
        except Exception as error:
            raise SourceUnavailable(f"KRX's listing of {session} cannot be read: {_said(error)}") from error
        return shares_of(listing.reset_index(drop=True))


def _unreadable(error: Exception) -> SourceError:
    """The error of our tree that the library's is; when its first request fails, its own handler fails over that."""
    if isinstance(error, UnboundLocalError) and isinstance(error.__context__, SourceError):
        return error.__context__
    if isinstance(error, HTTPError):
        error.close()  # pandas leaves its connection open
        if error.code == 429:
            return Throttled("the cache of KRX's listing asks to slow down (429)")
    return SourceUnavailable(f"KRX's listing cannot be read: {_said(error.__context__ or error)}")


def _said(error: BaseException) -> str:
    """What an outage, or pandas, says of itself; of anything else only that it is no listing."""
    return reason_of(error) if isinstance(error, OSError | HTTPException | ValueError) else "the answer is none"


def _working_day(text: str) -> date:
    import json

    return datetime.strptime(json.loads(text)["result"]["output"][0]["max_work_dt"], "%Y%m%d").date()  # noqa: DTZ007
