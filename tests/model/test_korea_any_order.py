"""Korea's listings, read in any order: the same bars, and the split that only a base price and Naver's chart tell of.

Runs are missing, repeated and of the past; a listing is corrected up to three sessions later; a share splits, which
KRX's base price of that day tells, and Naver restates its history up to two sessions later. Whatever the order, the
bars of every session since the first that was ever asked for are KRX's own, as traded, and the split is there. Which
corrections were seen (tb_bar_revision), and when, is history.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import broken_invariants
from tests.fixtures.market import Market
from tests.folders import write_krx, write_naver
from tests.model.profile import profile
from tests.model.stored import empty_tables, everything
from tests.model.world import LOOK_BACK, Ratio

DAYS = (
    *("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09"),
    *("2026-01-12", "2026-01-13", "2026-01-14", "2026-01-15", "2026-01-16"),
)
LAST = len(DAYS) - 1
RATIOS = ((2, 1), (5, 1), (50, 1), (1, 10))
CODES = ("005930", "000660", "247540")

type Won = tuple[int, int, int, int, int]  # open, high, low, close, volume


@dataclass(frozen=True)
class Share:
    """What happened to one share; sessions and evenings are numbers of ``DAYS``."""

    bars: tuple[Won, ...]  # as traded
    corrected: dict[int, int]  # session: the evening from which on its listing has the true volume
    ratio: Ratio = (1, 1)  # new shares for old ones
    split: int = LAST + 1  # the session from which on they are traded
    restated: int = LAST + 1  # the evening from which on Naver's chart is in new shares

    def listed(self, day: int, evening: int) -> tuple[Any, ...]:
        """open, high, low, close, volume, base price, shares in the listing of ``day`` as it is on ``evening``."""
        *prices, volume = self.bars[day]
        new, old = self.ratio if day == self.split else (1, 1)
        base = round(self.bars[day - 1][3] * old / new) if day else prices[0]
        shares = 1_000_000 * self.ratio[0] // self.ratio[1] if day >= self.split else 1_000_000
        return (*prices, volume if evening >= self.corrected.get(day, 0) else volume - 900, base, shares)

    def chart(self, evening: int) -> dict[str, Won]:
        """Naver's chart: restated prices, cut to whole won, and volume as traded."""
        new, old = self.ratio if evening >= self.restated else (1, 1)
        quoted = {}
        for day, (*prices, volume) in enumerate(self.bars[: evening + 1]):
            opened, high, low, close = (price * old // new if day < self.split else price for price in prices)
            quoted[DAYS[day]] = opened, high, low, close, volume
        return quoted


@st.composite
def shares(draw: st.DrawFn) -> Share:
    """A share that may split, in won."""
    corrected = draw(st.dictionaries(st.integers(0, LAST - 1), st.integers(1, 3), max_size=3))
    split = draw(st.integers(1, LAST - 2))
    ratio = draw(st.sampled_from(((1, 1), *RATIOS)))
    restated = split + draw(st.integers(0, 2))
    close, bars = 80_000, []
    for day in range(len(DAYS)):
        opened = round(close * ratio[1] / ratio[0]) if day == split else close
        close = round(opened * (1 + draw(st.integers(-4, 4)) / 100))
        high, low = round(max(opened, close) * 1.01), round(min(opened, close) * 0.99)
        bars.append((opened, high, low, close, draw(st.integers(1_000, 5_000)) * 10 + day))
    late = {day: min(day + evenings, LAST) for day, evenings in corrected.items()}
    return Share(tuple(bars), late) if ratio == (1, 1) else Share(tuple(bars), late, ratio, split, restated)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, int, bool]]:
    """(evening, session, whether twice) of each run: in the order of the evenings, some of them of the past."""
    evenings = sorted(draw(st.lists(st.integers(0, LAST), min_size=1, max_size=4)))
    some = st.booleans()
    return [(evening, draw(st.one_of(st.just(evening), st.integers(0, evening))), draw(some)) for evening in evenings]


class Korea:
    """The model behind the replay, and an empty database."""

    def __init__(self, market: Market, connection: Connection, model: dict[str, Share]) -> None:
        self._market = market
        self._connection = connection
        self._model = model
        empty_tables(connection)

    def run(self, evening: int, session: int, twice: bool = False, *, days_later: int = 0) -> None:
        """The job as of the morning after ``session``, asking the sources on ``evening``; ``twice`` changes nothing."""
        folder = self._market.folder
        for day in range(evening + 1):
            listing = [(code, code, "KOSPI", *one.listed(day, evening)) for code, one in self._model.items()]
            write_krx(folder, DAYS[day], listing)
        for code, one in self._model.items():
            write_naver(folder, code, one.chart(evening))
        self._market.replay.load(folder)
        later = timedelta(days=days_later)
        before = None
        for _ in range(1 + twice):
            report = self._market.run("kr-price", as_of=(_morning(session) + later).isoformat())
            assert report.exit_code == 0, report.error
            assert broken_invariants(self._connection, "kr-price") == []
            after = everything(self._connection)
            assert after == (before or after)
            before = after

    def bars(self) -> list[tuple[Any, ...]]:
        """code, session, open, high, low, close, volume, basis date, source."""
        return self._market.bars()

    def splits(self) -> list[tuple[Any, ...]]:
        """code, session, ratio."""
        return self._market.rows(
            "select ticker, ex_date::text, value from tb_action join tb_meta using (meta_id) "
            "where kind = 'split' order by 1"
        )

    def not_final(self) -> list[tuple[Any, ...]]:
        """The sessions that every run reads again and are not final."""
        return self._market.rows(
            "select ticker, trade_date::text from tb_bar join tb_meta using (meta_id) "
            "where not final and trade_date >= %s::date",
            DAYS[-LOOK_BACK],
        )


def _morning(session: int) -> datetime:
    """When the daily run of that session looks at the world: 06:00 of the next day in Seoul."""
    return datetime.fromisoformat(f"{DAYS[session]}T21:00+00:00")


@profile(4)
@given(model=st.fixed_dictionaries({code: shares() for code in CODES}), history=histories())
def test_listings_in_any_order_end_as_the_model_says(
    market: Market, connection: Connection, model: dict[str, Share], history: list[tuple[int, int, bool]]
) -> None:
    korea = Korea(market, connection, model)
    for evening, session, twice in history:
        korea.run(evening, session, twice)
    korea.run(LAST, LAST)
    korea.run(LAST, LAST, days_later=1)  # a weekend: the same listing again
    first = min(session for _, session, _ in history)
    assert korea.bars() == [
        (code, DAYS[day], *one.bars[day], DAYS[day], "krx")
        for code, one in sorted(model.items())
        for day in range(first, LAST + 1)
    ]
    assert korea.splits() == [
        (code, DAYS[one.split], pytest.approx(one.ratio[0] / one.ratio[1]))
        for code, one in sorted(model.items())
        if first < one.split <= LAST
    ]
    assert korea.not_final() == []
