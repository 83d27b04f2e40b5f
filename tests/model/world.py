"""A small model of a market, in plain Python: what was traded, what happened to the shares, what a source would answer.

A ``Share`` is what really happened, each bar in the shares of its own day. ``chart`` is what Yahoo would answer on the
evening of a session: everything in that day's shares, first-evening values where the session is that day's, some
sessions not there yet. ``prices`` is what a reader should find at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from math import prod
from pathlib import Path

from hypothesis import strategies as st

from tests.folders import Bar, write_chart

# Two weeks and a half with a holiday (19 January) and two week-ends.
DAYS = (
    *("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09", "2026-01-12", "2026-01-13"),
    *("2026-01-14", "2026-01-15", "2026-01-16", "2026-01-20", "2026-01-21"),
)
LAST = len(DAYS) - 1
RATIOS = ((2, 1), (4, 1), (3, 2), (1, 10))  # new shares for old ones
# What a first evening says: share of the volume, and of the high above the body of the bar.
PROVISIONAL = (0.96, 1.002)

type Ratio = tuple[int, int]


@dataclass(frozen=True)
class Share:
    """What happened to one ticker; sessions are numbers of ``DAYS``, money is per share of the session itself."""

    bars: tuple[Bar, ...]
    splits: dict[int, Ratio] = field(default_factory=dict)
    dividends: dict[int, float] = field(default_factory=dict)
    provisional: frozenset[int] = frozenset()  # sessions whose first evening said something else
    late: dict[int, int] = field(default_factory=dict)  # session: the one on whose evening its bar is there

    def ratio(self, session: int, evening: int) -> float:
        """Shares of ``evening`` per share of ``session``."""
        return prod((new / old for day, (new, old) in self.splits.items() if session < day <= evening), start=1.0)

    def seen(self, session: int, evening: int) -> Bar:
        """The bar of ``session`` as quoted on that evening, in its shares."""
        opened, high, low, close, volume = self.bars[session]
        if session == evening and session in self.provisional:
            share, above = PROVISIONAL
            high, volume = max(opened, close) * above, int(volume * share)
        ratio = self.ratio(session, evening)
        return opened / ratio, high / ratio, low / ratio, close / ratio, int(volume * ratio + 1e-6)

    def write(self, folder: Path, symbol: str, evening: int) -> None:
        """The answer of ``evening``, as a data folder holds it."""
        recorded = datetime.fromisoformat(f"{DAYS[evening]}T22:00+00:00").astimezone(UTC)
        there = [day for day in range(evening + 1) if self.late.get(day, day) <= evening]
        write_chart(
            folder,
            symbol,
            {DAYS[day]: self.seen(day, evening) for day in there},
            splits={DAYS[day]: ratio for day, ratio in self.splits.items() if day in there},
            dividends={
                DAYS[day]: round(amount / self.ratio(day, evening), 6)
                for day, amount in self.dividends.items()
                if day in there
            },
            recorded=format_datetime(recorded, usegmt=True),
        )

    def actions(self) -> dict[tuple[str, str], float]:
        """{(ex_date, kind): split ratio, or money per share of the last session}."""
        splits = {(DAYS[day], "split"): new / old for day, (new, old) in self.splits.items()}
        paid = {(DAYS[day], "dividend"): amount / self.ratio(day, LAST) for day, amount in self.dividends.items()}
        return splits | paid

    def prices(self) -> list[tuple[str, float, float, float, float, float, float]]:
        """day, open, high, low, close, volume, adj_close in the shares of the last session."""
        rows = []
        for day in range(len(DAYS)):
            opened, high, low, close, volume = self.bars[day]
            ratio = self.ratio(day, LAST)
            kept = prod(
                (1 - amount * self.ratio(ex_day - 1, ex_day) / self.bars[ex_day - 1][3])
                for ex_day, amount in self.dividends.items()
                if ex_day > day
            )
            rows.append(
                (
                    DAYS[day],
                    opened / ratio,
                    high / ratio,
                    low / ratio,
                    close / ratio,
                    volume * ratio,
                    close / ratio * kept,
                )
            )
        return rows

    def volume_slack(self, day: int) -> float:
        """How far a restated volume may be off: whoever restates cuts to whole shares, after each split."""
        return 1 + sum(self.ratio(split, LAST) + self.ratio(day, LAST) for split in self.splits if split > day)


@dataclass(frozen=True)
class Order:
    """One run: on the evening of session ``evening``, looking at the world as of that of ``session`` or before."""

    evening: int
    session: int
    kind: str  # daily, range, full
    start: int = 0
    without: tuple[str, ...] = ()  # the tickers of which the source has nothing this time
    twice: bool = False


@st.composite
def shares(draw: st.DrawFn) -> Share:
    """A share with up to two splits, two dividends, and a source that is late or provisional here and there."""
    days = st.integers(1, LAST)
    splits = draw(st.dictionaries(days, st.sampled_from(RATIOS), max_size=2))
    moves = draw(st.lists(st.integers(-4, 4), min_size=len(DAYS), max_size=len(DAYS)))
    close, bars, dividends = 96.0, [], {}
    # two within two sessions would be held back as twins, which a payer of that kind would have to be released from
    paying = draw(
        st.sets(days, max_size=2).filter(lambda both: not both or len(both) == 1 or max(both) - min(both) > 2)
    )
    for day, move in enumerate(moves):
        new, old = splits.get(day, (1, 1))
        opened = close * old / new
        close = round(opened * (1 + move / 100), 4)
        high, low = max(opened, close) * 1.01, min(opened, close) * 0.99
        bars.append((opened, high, low, close, draw(st.integers(1_000, 5_000)) * 7 + day))
        if day in paying:
            dividends[day] = max(0.01, round(close * draw(st.integers(1, 20)) / 1000, 2))
    late = {day: day + draw(st.integers(1, 3)) for day in draw(st.sets(st.integers(1, LAST - 3), max_size=2))}
    return Share(tuple(bars), splits, dividends, draw(st.frozensets(st.integers(0, LAST), max_size=4)), late)


@st.composite
def orders(draw: st.DrawFn, tickers: Sequence[str]) -> list[Order]:
    """Runs in the order of their evenings; each may look at the past, ask for a range or for everything, and find that
    the source has nothing of a ticker."""
    found = []
    for evening in sorted(draw(st.lists(st.integers(0, LAST), min_size=1, max_size=7))):
        session = draw(st.one_of(st.just(evening), st.integers(0, evening)))
        found.append(
            Order(
                evening=evening,
                session=session,
                kind=draw(st.sampled_from(("daily", "daily", "range", "full"))),
                start=draw(st.integers(0, session)),
                without=tuple(draw(st.lists(st.sampled_from(list(tickers)), max_size=1))),
                twice=draw(st.booleans()),
            )
        )
    return found
