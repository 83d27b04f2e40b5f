"""The close of the last US session: Nasdaq's screener, as the exchanges' listing files keep it.

Three requests hold the whole market: enough to stand in for Yahoo where Yahoo is down, and to check it every day. The
files give close and volume only, of one session, and do not say of which. That is proven before anything is believed:
the close before, which each row tells as well, must be the one that is stored.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import pandas as pd

from include.insight_invest.errors import SourceError, StaleSource
from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import ACTION_COLUMNS, BAR_COLUMNS, Answer, State, Wanted
from include.insight_invest.sources.listings import EXCHANGES, QUOTE_COLUMNS, us_quotes

CURRENCY = "USD"
# Of 6,890 rows of 2026-08-21, 38 % had moved by no more than this since the session before: a file of another session
# agrees with a third of the stored closes, never with nearly all. The 10 % leave room for splits and renamed shares.
TOLERANCE = 0.005
CENT = 0.01
MATCHING_SHARE = 0.9
# Below that many tickers, all of them must be in the files: by chance, 18 of 20 moved that little in two of a million.
PROVING_TICKERS = 20


class Nasdaq:
    """The ``nasdaq`` source. It proves the files' session by ``closes``, what is stored of the sessions before it.

    ``closes``: columns ticker, trade_date, close (US dollars per share of the wanted session); ``eve`` is the session
    before the wanted one. Only the newest session that is wanted is answered.
    """

    name = "nasdaq"

    def __init__(self, settings: Settings, closes: pd.DataFrame, eve: date) -> None:
        self._settings = settings
        self._stored = closes.pivot(index="ticker", columns="trade_date", values="close")
        self._eve = pd.Timestamp(eve)
        self.requests = 0

    def prices(self, wanted: Sequence[Wanted]) -> Iterator[Answer]:
        """One answer. A ticker whose own close before is not the stored one is left out.

        Raises StaleSource where the files are not of the wanted session, SourceUnavailable or Throttled where none of
        them can be read.
        """
        session = max(item.window.session for item in wanted)
        quotes = self._quotes()
        self._prove(quotes, session)
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
            requests=self.requests,
            until=session,
        )

    def _quotes(self) -> pd.DataFrame:
        """The exchanges' files under each other; one that cannot be read leaves the others' rows."""
        found, failed = [], []
        for exchange in EXCHANGES:
            self.requests += 1
            try:
                found.append(us_quotes(exchange, self._settings.timeout))
            except SourceError as error:
                failed.append(error)
        if not found:
            raise failed[0]
        # A share that is listed on two exchanges is one ticker: the first exchange's row stands.
        return pd.concat(found, ignore_index=True)[list(QUOTE_COLUMNS)].drop_duplicates("ticker", ignore_index=True)

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
        ["not in the exchanges' listings", f"no close of {eve} is stored, by which its listing could be proven"],
        f"its close before in Nasdaq's listing is not the one that is stored of {eve}",
    )
    return {ticker: (State.EMPTY, str(reason)) for ticker, reason in zip(left["ticker"], reasons, strict=True)}
