"""finance-datareader, as Korea's two sources need it: with a time-out, heard, and quoting halts as halts.

The library fails silently: it prints a line and gives an empty frame, and it sets no time-out. Both are mended where
its answers are read.
"""

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import requests

from include.insight_invest.errors import NotFound, SourceUnavailable, Throttled
from include.insight_invest.sources.calling import Pace, quiet
from include.insight_invest.wording import plain

CURRENCY = "KRW"


class Requests:
    """What finance-datareader knows as ``requests``: the same calls at a pace, with a time-out, counted; and the last
    answer."""

    def __init__(self, timeout: float, pace: Pace) -> None:
        self.timeout = timeout
        self.pace = pace
        self.count = 0
        self.answered = 0
        self.last_text = ""

    def get(self, url: str, **kwargs: Any) -> requests.Response:
        """GET ``url``; raises Throttled on 429, NotFound on 404, SourceUnavailable on any other refusal."""
        self.pace.wait()
        self.count += 1
        response = requests.get(url, timeout=self.timeout, **kwargs)
        if response.status_code == 429:
            raise Throttled(f"{urlsplit(url).netloc} asks to slow down (429)")
        if response.status_code == 404:
            raise NotFound(f"{urlsplit(url).netloc} has no {urlsplit(url).path.rpartition('/')[2]}")
        if response.status_code >= 400:
            raise SourceUnavailable(f"{urlsplit(url).netloc} answered HTTP {response.status_code}")
        self.answered += 1
        self.last_text = response.text
        return response


@cache
def finance_datareader() -> Any:
    """The library; importing it takes 0.7 s."""
    with quiet("finance-datareader"):
        import FinanceDataReader as fdr
    return fdr


def without_halt_zeros(bars: pd.DataFrame) -> pd.DataFrame:
    """A halted day comes as open = high = low = 0 with a close: there was no trade, so those are not prices."""
    halted = (bars["open"] == 0) & (bars["high"] == 0) & (bars["low"] == 0)
    return bars.assign(**{name: bars[name].mask(halted, np.nan) for name in ("open", "high", "low")})


def reason_of(error: BaseException) -> str:
    """What an error says, for a message."""
    return f"{type(error).__name__}: {plain(str(error))}"
