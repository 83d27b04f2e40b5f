"""A symbol's history, and what its source quoted at any earlier instant.

Yahoo and Naver restate a whole history in today's shares on every split. A recording is such a quotation on one day,
its basis; knowing the splits, it can be restated for any other day t, where S(x) is the product of the ratios of every
split with ex-date <= x:

    price(t) = price(basis) * S(basis) / S(t)        volume(t) = volume(basis) * S(t) / S(basis)

With no split between the two days the quotient is exactly 1.0, and recorded values come back bit for bit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

type Floats = npt.NDArray[np.float64]
type Ints = npt.NDArray[np.int64]

PRICES = ("open", "high", "low", "close")
_LONGEST_GAP = 10  # days between a dividend and the close before it; over a hole in the data there is no such close


class Split(NamedTuple):
    """``numerator`` new shares for ``denominator`` old ones."""

    ex_date: date
    at: int  # the session's open, UTC seconds
    numerator: float
    denominator: float


class Dividend(NamedTuple):
    """Cash per share, in the shares of ``basis``."""

    ex_date: date
    at: int
    amount: float
    basis: date
    extra: dict[str, Any]  # what else the source writes beside it: currency


@dataclass(frozen=True)
class Venue:
    """Where a symbol trades: its time zone and its regular session."""

    zone: ZoneInfo
    opens: time
    seconds: int  # from open to close

    def opening(self, day: date) -> int:
        """The open of ``day``'s session, UTC seconds."""
        return int(datetime.combine(day, self.opens, self.zone).timestamp())

    def day(self, instant: float) -> date:
        """The venue's date at ``instant`` (UTC seconds)."""
        return datetime.fromtimestamp(instant, self.zone).date()


NEW_YORK = Venue(ZoneInfo("America/New_York"), time(9, 30), 23_400)
SEOUL = Venue(ZoneInfo("Asia/Seoul"), time(9), 23_400)


@dataclass(frozen=True, eq=False)
class Recording:
    """One file's history of one symbol; the same object as long as the file is the same.

    ``days`` are proleptic ordinals, ascending; a missing number is NaN.
    """

    days: Ints
    at: Ints  # each bar's time stamp, UTC seconds
    values: dict[str, Floats]  # open high low close volume, and adjclose where the source recorded one
    basis: date | None  # the day in whose shares it is quoted; None: every bar in its own day's
    volume_as_traded: bool = False  # Naver and KRX: volume in the day's own shares, whatever the prices
    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """Everything known of one symbol: the bars and events of all its recordings, earlier recordings preferred."""

    venue: Venue
    days: Ints
    at: Ints
    values: dict[str, Floats]
    price_basis: Ints
    volume_basis: Ints
    splits: tuple[Split, ...]
    dividends: tuple[Dividend, ...]
    meta: dict[str, Any]


@dataclass(frozen=True)
class Quotation:
    """A history as quoted on one day."""

    history: History
    values: dict[str, Floats]
    splits: tuple[Split, ...]
    dividends: tuple[Dividend, ...]


def merge(venue: Venue, recordings: Sequence[Recording]) -> History:
    """One history: each day's bar, and each ex-date's event, from the first recording that has it."""
    names = (*PRICES, "volume", "adjclose")
    days = np.concatenate([recording.days for recording in recordings])
    order = np.unique(days, return_index=True)[1]  # the first occurrence of each day

    def column(name: str) -> Floats:
        absent = [r.values.get(name, np.full(len(r.days), np.nan)) for r in recordings]
        return np.concatenate(absent)[order]

    price = [_basis(r.days, r.basis) for r in recordings]
    volume = [r.days if r.volume_as_traded else basis for r, basis in zip(recordings, price, strict=True)]
    return History(
        venue=venue,
        days=days[order],
        at=np.concatenate([recording.at for recording in recordings])[order],
        values={name: column(name) for name in names},
        price_basis=np.concatenate(price)[order],
        volume_basis=np.concatenate(volume)[order],
        splits=_first_of_each(recording.splits for recording in recordings),
        dividends=_first_of_each(recording.dividends for recording in recordings),
        meta=recordings[0].meta,
    )


def _basis(days: Ints, basis: date | None) -> Ints:
    return days if basis is None else np.full(len(days), basis.toordinal(), np.int64)


def _first_of_each[E: (Split, Dividend)](events: Iterable[tuple[E, ...]]) -> tuple[E, ...]:
    found: dict[date, E] = {}
    for some in events:
        for event in some:
            found.setdefault(event.ex_date, event)
    return tuple(found[day] for day in sorted(found))


def quote(history: History, day: date) -> Quotation:
    """``history`` as its source quoted it on ``day``: splits and dividends with a later ex-date are not known yet.

    Bars later than ``day`` are still in it: who serves them cuts them off by the clock.
    """
    shares = _Shares(history.splits)
    now = shares.until(np.array([day.toordinal()]))
    price_factor = shares.until(history.price_basis) / now
    volume_factor = now / shares.until(history.volume_basis)
    values = {name: history.values[name] * price_factor for name in PRICES}
    values["volume"] = np.rint(history.values["volume"] * volume_factor)
    dividends = tuple(
        dividend._replace(amount=float(dividend.amount * (shares.until(_ordinal(dividend.basis)) / now)[0]))
        for dividend in history.dividends
        if dividend.ex_date <= day
    )
    recorded = history.values["adjclose"] * price_factor
    computed = values["close"] * _dividend_factor(history.days, values["close"], dividends)
    is_recorded = (history.price_basis <= day.toordinal()) & ~np.isnan(recorded)
    values["adjclose"] = np.where(is_recorded, recorded, computed)
    return Quotation(history, values, tuple(split for split in history.splits if split.ex_date <= day), dividends)


class _Shares:
    """S(x): how many of today's shares one share of the beginning has become by day x."""

    def __init__(self, splits: Sequence[Split]) -> None:
        self._ex_days = np.array([split.ex_date.toordinal() for split in splits], np.int64)
        ratios = [1.0, *(split.numerator / split.denominator for split in splits)]
        self._product: Floats = np.cumprod(np.array(ratios), dtype=np.float64)

    def until(self, days: Ints) -> Floats:
        """S of each of ``days``."""
        return np.take(self._product, np.searchsorted(self._ex_days, days, side="right"))


def _dividend_factor(days: Ints, close: Floats, dividends: Sequence[Dividend]) -> Floats:
    """What turns a close into an adjusted close: for each later ex-date, 1 - dividend / close before it (CRSP)."""
    factor = np.ones(len(days))
    for dividend in dividends:
        ex_day = dividend.ex_date.toordinal()
        before = int(np.searchsorted(days, ex_day))
        if before and ex_day - days[before - 1] <= _LONGEST_GAP and close[before - 1] > 0:
            factor[:before] *= 1 - dividend.amount / close[before - 1]
    return factor


def _ordinal(day: date) -> Ints:
    return np.array([day.toordinal()])


def ratio(new_for_old: float) -> tuple[int, int]:
    """A split ratio as (new, old): 0.1 is one new share for ten old."""
    fraction = Fraction(new_for_old).limit_denominator(10_000)
    return fraction.numerator, fraction.denominator
