"""Recorded histories with their events, and what Yahoo would have answered on any day of them."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from tests.store.rows import Action, actions

PRICES = ["open", "high", "low", "close"]
WINDOW_SESSIONS = 7  # what a daily run reads again
_COLUMNS = {"Date": "trade_date", "Adj Close": "adjclose"} | {
    name: name.lower() for name in ("Open", "High", "Low", "Close", "Volume")
}


@dataclass(frozen=True)
class History:
    """One ticker: ``quoted`` (trade_date, OHLCV, adjclose) and ``dividends`` (ex_date, money) in the shares after the
    last of ``splits`` (ex_date, new shares per old one)."""

    quoted: pd.DataFrame
    splits: tuple[tuple[str, float], ...] = ()
    dividends: tuple[tuple[str, float], ...] = ()

    def until(self, last: str) -> "History":
        """What there was of it at the end of ``last``, in the shares of that day."""
        day = pd.Timestamp(last)
        return self._in_shares_of(day, self.quoted[self.quoted["trade_date"] <= day], "")

    def answer(self, day: pd.Timestamp, sessions: int | None = WINDOW_SESSIONS) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Bars and actions of the newest ``sessions`` (None: all) of ``day``, as Yahoo quoted them that evening."""
        known = self.quoted[self.quoted["trade_date"] <= day]
        window = known if sessions is None else known.tail(sessions)
        part = self._in_shares_of(day, window, str(window["trade_date"].iloc[0].date()))
        basis = str(day.date())
        events: list[Action] = [(ex_date, "split", value, basis) for ex_date, value in part.splits]
        events += [(ex_date, "dividend", round(amount, 6), basis) for ex_date, amount in part.dividends]
        return part.quoted.assign(basis_date=day, meta_id=1), actions(*events)

    def _in_shares_of(self, day: pd.Timestamp, rows: pd.DataFrame, first: str) -> "History":
        ratio = float(np.prod([value for ex_date, value in self.splits if pd.Timestamp(ex_date) > day]))
        restated = {name: rows[name] * ratio for name in (*PRICES, "adjclose")}
        return replace(
            self,
            quoted=rows.assign(**restated, volume=np.rint(rows["volume"] / ratio)).reset_index(drop=True),
            splits=tuple(one for one in self.splits if first <= one[0] <= str(day.date())),
            dividends=tuple(
                (ex_date, amount * ratio) for ex_date, amount in self.dividends if first <= ex_date <= str(day.date())
            ),
        )


def read_chart(file: Path, splits: tuple[tuple[str, float], ...] = ()) -> History:
    """A recorded Yahoo chart with the dividends it names, in the shares of the day of its recording; ``splits`` are all
    those until then, of which a chart names only the ones in its window."""
    result = json.loads(file.read_bytes())["body"]["chart"]["result"][0]
    opened = pd.to_datetime(result["timestamp"], unit="s", utc=True).tz_convert(ZoneInfo("America/New_York"))
    quote = result["indicators"]["quote"][0]
    columns = {name: np.array(quote[name], float) for name in (*PRICES, "volume")}
    adjclose = np.array(result["indicators"]["adjclose"][0]["adjclose"], float)
    dividends = tuple(
        (str(pd.Timestamp(one["date"], unit="s").date()), float(one["amount"]))
        for one in result.get("events", {}).get("dividends", {}).values()
    )
    day = opened.tz_localize(None).normalize()
    return History(pd.DataFrame({"trade_date": day, **columns, "adjclose": adjclose}), splits, dividends)


def read_daily(folder: Path, ticker: str) -> History:
    """2012 to 2014 of us_daily: prices and Yahoo's adjclose of 2018 from one recording, the events from the other.

    In 2018 Yahoo took a dividend before a split off the restated close without restating the dividend: Apple's 2.65
    dollars of 2012 off 88 instead of off 616. Its adjclose is put right here, by the ratio of the two factors; without
    such a dividend it is the file's own (``test_real_prices`` proves the file's, with the amounts it was made with).
    """
    prices = pd.read_csv(folder / f"luisgrivas-{ticker}.csv", parse_dates=["Date"]).rename(columns=_COLUMNS)
    events = pd.read_csv(folder / f"zipline-{ticker}.csv.gz", parse_dates=["date"])
    quoted = prices[prices["trade_date"].isin(events["date"])].reset_index(drop=True)
    day = events["date"].astype(str)
    splits = tuple(zip(day[events["split"] != 1], events["split"][events["split"] != 1], strict=True))
    dividends = tuple(zip(day[events["dividend"] != 0], events["dividend"][events["dividend"] != 0], strict=True))
    adjclose = quoted["adjclose"].to_numpy(copy=True)
    for ex_date, amount in dividends:
        before = (quoted["trade_date"] < ex_date).to_numpy()
        eve = quoted["close"][before].iloc[-1]
        not_restated = amount * float(np.prod([value for split, value in splits if split > ex_date]))
        adjclose[before] *= (1 - amount / eve) / (1 - not_restated / eve)
    return History(quoted.assign(adjclose=adjclose), splits, dividends)
