"""One Korean ticker's whole history a request: Naver, through finance-datareader."""

from collections.abc import Iterator, Sequence
from datetime import date

import pandas as pd

from include.insight_invest.errors import InsightError, NotFound, SourceError, SourceUnavailable, Throttled
from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import ACTION_COLUMNS, BAR_COLUMNS, Answer, Wanted, batches, problem
from include.insight_invest.sources.calling import Pace, Turns, quiet, retrying
from include.insight_invest.sources.reader import CURRENCY, Requests, finance_datareader, reason_of, without_halt_zeros

HISTORY_BATCH_TICKERS = 25


class Naver:
    """The ``naver`` source: one Korean ticker's whole history a request."""

    name = "naver"

    def __init__(self, settings: Settings, turns: Turns | None = None) -> None:
        self._settings = settings
        self._http = Requests(settings.timeout, Pace(self.name, settings.rate_of(self.name), turns))

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent."""
        return self._http.count

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
                until=max(item.window.session for item in batch),
            )
            frames = []
            for item in batch:
                try:
                    if throttled:
                        raise Throttled("not asked: Naver asked to slow down (429) earlier in this run")
                    frames.append(self._bars(item))
                except SourceError as error:
                    throttled = throttled or isinstance(error, Throttled)
                    answer.problems[item.target.ticker] = problem(error)
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
        fdr = finance_datareader()
        fdr.naver.data.requests = self._http
        try:
            with quiet("finance-datareader"):
                read = fdr.DataReader(f"NAVER:{code}", "1900-01-01")
            history: pd.DataFrame = read.astype(float)
        except InsightError:
            raise
        except OSError as error:  # as every error of requests is
            raise SourceUnavailable(f"Naver did not answer for {code}: {reason_of(error)}") from error
        except Exception as error:
            raise SourceUnavailable(f"Naver's answer for {code} is not a chart") from error
        if "</protocol>" not in self._http.last_text:
            # the library would take half a chart, or a page of HTML, for all there is
            raise SourceUnavailable(f"Naver's answer for {code} is not a whole chart")
        if history.empty:
            raise NotFound(f"Naver has nothing for {code}")
        return history
