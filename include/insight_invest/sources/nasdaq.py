"""The close of the last US session: Nasdaq's screener, as the exchanges' listing files keep it.

Three requests hold the whole market: enough to stand in for Yahoo where Yahoo is down, to check it every day, and to
know who is listed. The files give close and volume only, of one session, and do not say of which. That is proven before
anything is believed: the close before, which each row tells as well, must be the one that is stored.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import pandas as pd

from include.insight_invest.errors import SourceError, SourceUnavailable, StaleSource
from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import ACTION_COLUMNS, BAR_COLUMNS, Answer, State, Wanted
from include.insight_invest.sources.calling import Pace, Turns
from include.insight_invest.sources.listings import EXCHANGES, fetch_listing, parse_listing, parse_quotes

CURRENCY = "USD"
# Of 6,890 rows of 2026-08-21, 38 % had moved by no more than this since the session before: a file of another session
# agrees with a third of the stored closes, never with nearly all. The 10 % leave room for splits and renamed shares.
TOLERANCE = 0.005
CENT = 0.01
MATCHING_SHARE = 0.9
# A file of a day that was none, whose closes have not moved since, would match. Of the 6,890 rows 8 % had not moved.
UNMOVED_SHARE = 0.5
# Below that many tickers, all of them must be in the files: by chance, 18 of 20 moved that little in two of a million.
PROVING_TICKERS = 20


class Nasdaq:
    """The ``nasdaq`` source. It proves the files' session by ``closes``, what is stored of the sessions before it.

    ``closes``: columns ticker, trade_date, close (US dollars per share of the wanted session); ``eve`` is the session
    before the wanted one. Only the newest session that is wanted is answered.
    """

    name = "nasdaq"

    def __init__(self, settings: Settings, closes: pd.DataFrame, eve: date, turns: Turns | None = None) -> None:
        self._settings = settings
        self._pace = Pace(self.name, settings.rate_of(self.name), turns)
        self._stored = closes.pivot(index="ticker", columns="trade_date", values="close")
        self._eve = pd.Timestamp(eve)
        self._files: dict[str, bytes] = {}
        self._failed: list[SourceError] = []
        self._quoted: pd.DataFrame | None = None
        self.requests = 0
        self.proven = False  # whether the files are of the wanted session

    @property
    def listed(self) -> frozenset[str]:
        """Who is in the files; empty unless those of all exchanges could be read: half a market is no listing."""
        return frozenset() if self._quoted is None or self._failed else frozenset(self._quoted["ticker"])

    @property
    def traded(self) -> frozenset[str]:
        """Who has a close of the session in the files that could be read."""
        return frozenset() if self._quoted is None else frozenset(self._quoted.dropna()["ticker"])

    def definitions(self) -> pd.DataFrame:
        """The definitions in the files, as ``listings.COLUMNS``. Raises SourceUnavailable where one cannot be read."""
        self._read()
        if self._failed:
            raise self._failed[0]
        # A share that is listed on two exchanges is one ticker: the first exchange's row stands.
        rows = [parse_listing(body, exchange) for exchange, body in self._files.items()]
        return pd.concat(rows, ignore_index=True).drop_duplicates("ticker")

    def prices(self, wanted: Sequence[Wanted]) -> Iterator[Answer]:
        """One answer. A ticker whose own close before is not the stored one is left out.

        Raises StaleSource where the files are not of the wanted session, SourceUnavailable or Throttled where none of
        them can be read. The files are asked for once, however often prices are.
        """
        session = max(item.window.session for item in wanted)
        sent = self.requests
        quotes = self._quotes()
        self.prove(session)
        targets = pd.DataFrame(
            {
                "meta_id": [item.target.meta_id for item in wanted],
                "ticker": [item.target.ticker for item in wanted],
            }
        )
        found = targets.merge(quotes, how="left", on="ticker")
        found["stored"] = self._stored[self._eve].reindex(found["ticker"]).to_numpy()
        good = (found["before"] - found["stored"]).abs() <= TOLERANCE * found["stored"]
        yield Answer(
            source=self.name,
            currency=CURRENCY,
            bars=_bars(found[good], session),
            actions=pd.DataFrame(columns=list(ACTION_COLUMNS)),
            asked=[item.target for item in wanted],
            problems=_problems(found[~good], self._eve.date()),
            requests=self.requests - sent,
            until=session,
        )

    def prove(self, session: date) -> None:
        """Raise StaleSource unless the files are of ``session``, SourceUnavailable where none can be read."""
        quotes = self._quotes()
        if not self.proven:
            self._prove(quotes.dropna(), session)
            self.proven = True

    def _read(self) -> None:
        """The exchanges' files; one that cannot be read leaves the others'."""
        if self.requests:
            return
        for exchange in EXCHANGES:
            self._pace.wait()
            self.requests += 1
            try:
                self._files[exchange] = fetch_listing(exchange, self._settings.timeout)
            except SourceError as error:
                self._failed.append(error)

    def _quotes(self) -> pd.DataFrame:
        """The rows of the files under each other. Raises the first failure where there is no file."""
        self._read()
        if self._quoted is None:
            found = []
            for exchange, body in self._files.items():
                try:
                    found.append(parse_quotes(body, exchange))
                except SourceError as error:
                    self._failed.append(error)
            if not found:
                raise self._failed[0]
            if any(rows.empty for rows in found):
                self._failed.append(SourceUnavailable("one of the listings is empty"))
            # A share that is listed on two exchanges is one ticker: the first exchange's row stands.
            self._quoted = pd.concat(found, ignore_index=True).drop_duplicates("ticker", ignore_index=True)
        return self._quoted

    def _prove(self, quotes: pd.DataFrame, session: date) -> None:
        """Raise StaleSource unless the files' closes before are those of the eve, and of no other stored session."""
        stored, eve = self._stored, self._eve
        if eve not in stored:
            raise StaleSource(f"nothing is stored of {eve.date()}, by which the listings' session could be proven")
        before = quotes.set_index("ticker")["before"].reindex(stored.index)
        off = stored.sub(before, axis=0).abs()
        proving = off[eve].notna()
        if proving.sum() < max(1, min(PROVING_TICKERS, int(stored[eve].notna().sum()))):
            raise StaleSource(f"only {proving.sum()} tickers of the listings have a stored close of {eve.date()}")
        now = quotes.set_index("ticker")["close"].reindex(stored.index)
        if float((now == before)[proving].mean()) > UNMOVED_SHARE:
            raise StaleSource(f"the listings are not of {session}: most closes are those before")
        share = float((off[eve] <= np.maximum(TOLERANCE * stored[eve], CENT))[proving].mean())
        typical = (off / stored).median()
        rivals = typical.drop(eve).dropna()
        if share < MATCHING_SHARE or (rivals <= typical[eve]).any():
            raise StaleSource(
                f"the listings are not of {session}: their closes before are those of {eve.date()} for {share:.0%} of "
                f"{proving.sum()} tickers"
            )


def _bars(found: pd.DataFrame, session: date) -> pd.DataFrame:
    bars = found.assign(
        trade_date=pd.Timestamp(session),
        open=np.nan,
        high=np.nan,
        low=np.nan,
        basis_date=pd.Timestamp(session),
    )
    return bars[list(BAR_COLUMNS)].reset_index(drop=True)


def _problems(left: pd.DataFrame, eve: date) -> dict[str, tuple[State, str]]:
    reasons = np.select(
        [left["close"].isna(), left["stored"].isna()],
        [
            "not in the exchanges' listings, or without a trade",
            f"no close of {eve} is stored, by which its listing could be proven",
        ],
        f"its close before in Nasdaq's listing is not the one that is stored of {eve}",
    )
    return {ticker: (State.EMPTY, str(reason)) for ticker, reason in zip(left["ticker"], reasons, strict=True)}
