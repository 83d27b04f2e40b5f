"""What every source speaks: it is asked for targets and answers in batches, each ticker with a state.

A source never raises for one ticker; it raises SourceError when it is of no use at all (down, or stale).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from include.insight_invest.errors import NotFound, SourceError, Throttled

if TYPE_CHECKING:
    import pandas as pd

    from include.insight_invest.store.universe import Target

BAR_COLUMNS = ("meta_id", "ticker", "trade_date", "open", "high", "low", "close", "volume", "basis_date")
ACTION_COLUMNS = ("meta_id", "ticker", "ex_date", "kind", "value", "basis_date")
# Hundredths of a currency, as Yahoo writes them: pence, South African cents, agorot, and euro cents of some funds.
MINOR_UNITS = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ZAC": "ZAR", "ILA": "ILS", "EUc": "EUR", "USX": "USD"}


class State(StrEnum):
    """How a ticker ended. Only throttled and failed count against the failure budget."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    EMPTY = "empty"  # the source answered that it has nothing
    THROTTLED = "throttled"  # not asked, or refused, because the source asked to slow down
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which sessions are wanted: up to and including ``session``, from ``start`` (None: the whole history).

    Splits and dividends are wanted from ``actions_from`` on, where that is earlier. A source that has them only with
    the bars of their day gives those too.
    """

    start: date | None
    session: date
    actions_from: date | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One ticker and the window in which it is wanted."""

    target: "Target"
    window: Window


@dataclass(kw_only=True)
class Answer:
    """A batch: ``bars`` (BAR_COLUMNS) and ``actions`` (ACTION_COLUMNS), and each ticker that ended otherwise.

    Prices are money per share of ``basis_date``, in ``currency``. ``problems`` is {ticker: (state, reason)} for the
    tickers without data. ``until`` is the last day that was asked for; None is the last that the run wants. ``base`` is
    the price that each bar's limits count from, aligned with ``bars``, where the source says it (KRX). ``landed`` turns
    true when the answer is committed; one that was refused as a whole stays without.
    """

    source: str
    currency: str
    bars: "pd.DataFrame"
    actions: "pd.DataFrame"
    asked: Sequence["Target"]
    problems: dict[str, tuple[State, str]] = field(default_factory=dict)
    requests: int = 0
    volume_is_adjusted: bool = True
    until: date | None = None
    base: "pd.Series[float] | None" = None
    landed: bool = False


class PriceSource(Protocol):
    """A source of daily bars."""

    name: str

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent."""
        ...

    def prices(self, wanted: Sequence[Wanted]) -> Iterator[Answer]:
        """Answer for every one of ``wanted``, in batches. Raises SourceUnavailable, StaleSource."""
        ...


def batches[T](items: Iterable[T], size: int) -> Iterator[list[T]]:
    """``items`` in lists of at most ``size``."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def problem(error: SourceError) -> tuple[State, str]:
    """How a ticker ended of which the source said ``error``."""
    if isinstance(error, Throttled):
        return State.THROTTLED, str(error)
    return (State.EMPTY if isinstance(error, NotFound) else State.FAILED), str(error)
