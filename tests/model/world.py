"""A small model of a market, in plain Python: what was traded, what happened to the shares, what a source would answer.

A ``Share`` is what really happened, each bar in the shares of its own day. ``write`` is what Yahoo would answer on the
evening of a session: everything in that day's shares, some sessions not there yet, or not yet as they will be
corrected, or damaged that once. The other methods are what a reader should find on the last evening.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from math import nan, prod
from pathlib import Path

from hypothesis import strategies as st

from tests.folders import Bar, write_chart

# Twice what a run reads again, with a holiday (19 January); the last evening is that of a Friday.
DAYS = (
    *("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09", "2026-01-12", "2026-01-13"),
    *("2026-01-14", "2026-01-15", "2026-01-16", "2026-01-20", "2026-01-21", "2026-01-22", "2026-01-23"),
)
LAST = len(DAYS) - 1
LOOK_BACK = 7  # sessions that a run reads again
RATIOS = ((2, 1), (4, 1), (3, 2), (1, 10))  # new shares for old ones
# What a session says before it is corrected: share of the volume, and of the high above the body of the bar.
PROVISIONAL = (0.96, 1.002)
CORRECTED_WITHIN = 5  # sessions: a run of the next evening, whenever that is, still reads the session again
DAMAGE = 100
# Before, the damaged row may have too few neighbours to tell which of them is damaged.
FIRST_DAMAGE = 5

type Ratio = tuple[int, int]


@dataclass(frozen=True)
class Share:
    """What happened to one ticker; sessions and evenings are numbers of ``DAYS``, money is per share of the session."""

    bars: tuple[Bar, ...]
    splits: dict[int, Ratio] = field(default_factory=dict)
    dividends: dict[int, float] = field(default_factory=dict)
    told: dict[int, int] = field(default_factory=dict)  # ex-date: the evening from which on its dividend is known
    late: dict[int, int] = field(default_factory=dict)  # session: the evening from which on its bar is there
    provisional: dict[int, int] = field(default_factory=dict)  # session: the evening from which on it is corrected
    blank: frozenset[int] = frozenset()  # sessions that come without an open on the evening of their correction
    damaged: dict[int, int] = field(default_factory=dict)  # session: the evening on which its prices are x 100

    def ratio(self, session: int, evening: int) -> float:
        """Shares of ``evening`` per share of ``session``, the earlier of the two."""
        return prod((new / old for day, (new, old) in self.splits.items() if session < day <= evening), start=1.0)

    def arrival(self, session: int) -> int:
        """The first evening on which the bar of ``session`` is there."""
        return self.late.get(session, session)

    def there(self, evening: int = LAST) -> list[int]:
        """The sessions of which there is a bar on that evening."""
        return [day for day in range(evening + 1) if self.arrival(day) <= evening]

    def known_dividends(self, evening: int = LAST) -> dict[int, float]:
        """{ex-date: amount} as known on that evening."""
        return {day: paid for day, paid in self.dividends.items() if self.told.get(day, day) <= evening}

    def bar(self, session: int, evening: int, shares_of: int) -> Bar:
        """The bar of ``session`` as known on ``evening``, in the shares of session ``shares_of``."""
        opened, high, low, close, volume = self.bars[session]
        if evening < self.provisional.get(session, 0):
            share, above = PROVISIONAL
            high, volume = max(opened, close) * above, int(volume * share)
        ratio = self.ratio(session, shares_of)
        return opened / ratio, high / ratio, low / ratio, close / ratio, int(volume * ratio + 1e-6)

    def quoted(self, session: int, evening: int) -> Bar:
        """The same as the source quotes it on that evening: perhaps damaged, or without an open."""
        opened, high, low, close, volume = self.bar(session, evening, evening)
        if session in self.blank and evening == self.provisional[session]:
            opened = nan
        off = DAMAGE if self.damaged.get(session) == evening else 1
        return opened * off, high * off, low * off, close * off, volume

    def write(self, folder: Path, symbol: str, evening: int) -> None:
        """The answer of ``evening``, as a data folder holds it."""
        recorded = datetime.fromisoformat(f"{DAYS[evening]}T22:00+00:00").astimezone(UTC)
        write_chart(
            folder,
            symbol,
            {DAYS[day]: self.quoted(day, evening) for day in self.there(evening)},
            splits={DAYS[day]: ratio for day, ratio in self.splits.items() if day <= evening},
            dividends={
                DAYS[day]: round(amount / self.ratio(day, evening), 6)
                for day, amount in self.known_dividends(evening).items()
            },
            recorded=format_datetime(recorded, usegmt=True),
        )

    def actions(self) -> dict[tuple[str, str], float]:
        """{(ex_date, kind): split ratio, or money per share of the last session}."""
        splits = {(DAYS[day], "split"): new / old for day, (new, old) in self.splits.items()}
        paid = self.known_dividends().items()
        return splits | {(DAYS[day], "dividend"): amount / self.ratio(day, LAST) for day, amount in paid}

    def adjusted_closes(self) -> dict[str, float]:
        """{day: adj_close in the shares of the last session}."""
        there = self.there()
        eves = {ex_day: max(day for day in there if day < ex_day) for ex_day in self.dividends}
        taken = {
            ex_day: amount * self.ratio(eves[ex_day], ex_day) / self.bars[eves[ex_day]][3]
            for ex_day, amount in self.known_dividends().items()
        }
        kept = {day: prod(1 - share for ex_day, share in taken.items() if ex_day > day) for day in there}
        return {DAYS[day]: self.bars[day][3] / self.ratio(day, LAST) * kept[day] for day in there}

    def volume_slack(self, day: int, shares_of: int) -> float:
        """How far a restated volume may be off: whoever restates cuts to whole shares, after each split."""
        kept = [self.ratio(day, split) for split in self.splits if split > day]
        return 1 + sum(self.ratio(day, shares_of) / one for one in [1.0, *kept])

    # What a run on every evening from ``begin`` on leaves behind.

    def stored_on(self, session: int, begin: int) -> int:
        """The evening on which the bar of ``session`` is stored: a damaged one not before the next."""
        first = max(self.arrival(session), begin)
        return first + (self.damaged.get(session) == first)

    def corrected_on(self, session: int, begin: int) -> int | None:
        """The evening on which the stored bar of ``session`` is corrected."""
        evening = self.provisional.get(session, 0)
        if evening <= self.stored_on(session, begin):
            return None
        evening += self.damaged.get(session) == evening
        return evening if evening <= LAST else None

    def read_once(self, begin: int) -> set[int]:
        """The stored sessions of which the last evening said something new."""
        return {day for day in self.there() if LAST in (self.stored_on(day, begin), self.corrected_on(day, begin))}


@st.composite
def shares(draw: st.DrawFn) -> Share:
    """A share with up to two splits and two dividends, and a source with every weakness here and there."""
    days = st.integers(1, LAST)
    splits = draw(st.dictionaries(days, st.sampled_from(RATIOS), max_size=2))
    moves = draw(st.lists(st.integers(-4, 4), min_size=len(DAYS), max_size=len(DAYS)))
    close, bars, dividends = 96.0, [], {}
    rate = draw(st.integers(1, 20)) / 1000  # of the close: a payer that pays much more, or less, has to be released
    # two within two sessions would be held back as twins, which a payer of that kind would have to be released from
    paying = draw(
        st.sets(days, max_size=2).filter(lambda both: not both or len(both) == 1 or max(both) - min(both) > 2)
    )
    for day, move in enumerate(moves):
        new, old = splits.get(day, (1, 1))
        opened = close * old / new
        close = round(opened * (1 + move / 100), 4)
        # no two sessions are alike: one that repeats the one before to the volume would be held
        high, low = max(opened, close) * (1.01 + day / 10_000), min(opened, close) * 0.99
        bars.append((opened, high, low, close, draw(st.integers(1_000, 5_000)) * 7 + day))
        if day in paying:
            dividends[day] = max(0.01, round(close * rate, 2))
    told = {day: day + draw(st.integers(0, 3)) for day in dividends}
    # an event is told of with the bar of its day
    late_days = draw(st.sets(days.filter(lambda day: day not in splits and day not in paying), max_size=2))
    late = {day: day + draw(st.integers(1, 3)) for day in late_days}
    corrected = draw(st.sets(st.integers(0, LAST), max_size=5))
    provisional = {day: day + draw(st.integers(1, CORRECTED_WITHIN)) for day in sorted(corrected)}
    before_last = sorted(day for day, evening in provisional.items() if evening < LAST)
    blank = draw(st.frozensets(st.sampled_from(before_last))) if before_last else frozenset()
    damaged = {}
    for evening in sorted(draw(st.sets(st.integers(FIRST_DAMAGE, LAST - 1), max_size=2))):
        day = evening - draw(st.integers(0, CORRECTED_WITHIN - 1))
        if late.get(day, day) <= evening:
            damaged[day] = evening
    return Share(tuple(bars), splits, dividends, told, late, provisional, blank, damaged)
