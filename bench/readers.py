"""What readers ask the store for, as contestants: each ``go`` is some reads, timed one by one, on a warm server."""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sized
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

from bench.bars import Shape
from include.insight_invest.store import prices, read
from include.insight_invest.store.database import connect

READS = 20
# A reader that is slow is not asked so often, and one that hangs not at all.
SECONDS = 2.0
STATEMENT_TIMEOUT = "120s"
LONG_TICKERS = 20  # at least so many have ten years
TEN_YEARS = date(2015, 1, 1)
RECENT, OLD = 60, 500  # sessions from the end, and from the beginning


class Reader(ABC):
    """What they have in common: a connection, and what is asked for: another each time, the same in each run."""

    def __init__(self, url: str) -> None:
        self.open = ExitStack()
        self.connection = self.open.enter_context(connect(url, application="bench"))
        self.connection.execute(f"set statement_timeout = '{STATEMENT_TIMEOUT}'".encode())
        self.backend: int | None = self.connection.info.backend_pid
        self.random = random.Random(1)

    def prepare(self, shape: Shape) -> None:
        """Read once, so that everything is warm."""
        self.shape = shape
        self.ask()()

    def go(self) -> Mapping[str, Any]:
        """Read as often as READS and SECONDS allow."""
        reads: list[float] = []
        rows: list[int] = []
        until = time.perf_counter() + SECONDS
        while not reads or (len(reads) < READS and time.perf_counter() < until):
            query = self.ask()
            began = time.perf_counter()
            found = query()
            reads.append((time.perf_counter() - began) * 1000)
            rows.append(len(found))
        return {"reads_ms": reads, "rows": max(rows)}

    @abstractmethod
    def ask(self) -> Callable[[], Sized]:
        """The next query."""


class Prices(Reader):
    """One ticker's ten years of adjusted closes."""

    def ask(self) -> Callable[[], Sized]:
        meta_id = self.random.randint(1, LONG_TICKERS)
        return lambda: prices.adjusted_closes(self.connection, meta_id, TEN_YEARS, date.fromisoformat(self.shape.end))[
            0
        ]


class History(Prices):
    """The same with all that there is of a session."""

    def ask(self) -> Callable[[], Sized]:
        """Another ticker."""
        meta_id = self.random.randint(1, LONG_TICKERS)
        return lambda: prices.history(self.connection, meta_id, TEN_YEARS, date.fromisoformat(self.shape.end))


class RecentDay(Reader):
    """A whole day of the market, of the last quarter."""

    def ask(self) -> Callable[[], Sized]:
        day = self.day()
        return lambda: prices.market_day(self.connection, "US", day)

    def day(self) -> date:
        """A session."""
        found: date = self.shape.days[-self.random.randint(1, min(RECENT, self.shape.sessions))].item()
        return found


class OldDay(RecentDay):
    """The same of years ago."""

    def day(self) -> date:
        """A session."""
        found: date = self.shape.days[self.random.randrange(min(OLD, self.shape.sessions))].item()
        return found


class Macro(Reader):
    """A series as it was known on some day of its history."""

    def ask(self) -> Callable[[], Sized]:
        as_of = date(2000, 1, 1) + timedelta(days=self.random.randrange(9000))
        return lambda: read.observations(self.connection, "SERIES0", as_of)


class Watermark(Reader):
    """The newest session of every ticker."""

    def ask(self) -> Callable[[], Sized]:
        return lambda: prices.newest_sessions(self.connection, "US")


READERS = {
    "prices": Prices,
    "history": History,
    "recent_day": RecentDay,
    "old_day": OldDay,
    "macro": Macro,
    "watermark": Watermark,
}
