"""Histories of runs: some missing, some repeated, some that look at the past, some that a fault interrupts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.model.world import LAST, LOOK_BACK
from tests.replay import Fault

# Of one ticker the source has nothing for once, or it fails: then the run fails, and is run again.
FAULTS = (Fault.EMPTY, Fault.SERVER_ERROR)


@dataclass(frozen=True)
class Order:
    """One run: on the evening of session ``evening``, looking at the world as of that of ``session`` or before."""

    evening: int
    session: int
    kind: str = "daily"  # daily, range, full
    start: int = 0
    without: str | None = None  # the ticker that the source does not serve this time
    fault: Fault = Fault.EMPTY
    twice: bool = False


def daily(evening: int) -> Order:
    """The scheduled run of that evening."""
    return Order(evening=evening, session=evening)


@st.composite
def runs(draw: st.DrawFn, tickers: Sequence[str], evening: int) -> Order:
    """Any run on that evening."""
    session = draw(st.one_of(st.just(evening), st.integers(0, evening)))
    return Order(
        evening=evening,
        session=session,
        kind=draw(st.sampled_from(("daily", "daily", "range", "full"))),
        start=draw(st.integers(0, session)),
        without=draw(st.sampled_from((None, None, *tickers))),
        fault=draw(st.sampled_from(FAULTS)),
        twice=draw(st.booleans()),
    )


@st.composite
def some_runs(draw: st.DrawFn, tickers: Sequence[str]) -> list[Order]:
    """Runs on some evenings, after a first daily one."""
    first, *evenings = sorted(draw(st.lists(st.integers(0, LAST), min_size=1, max_size=6)))
    twice = draw(st.booleans())
    return [replace(daily(first), twice=twice), *(draw(runs(tickers, evening)) for evening in evenings)]


@st.composite
def with_more_runs(draw: st.DrawFn, tickers: Sequence[str]) -> list[Order]:
    """The daily run of every evening from some day on, and any others between them; one with a fault is run again."""
    begin = draw(st.integers(0, LOOK_BACK - 1))  # what is older then is read once, by the first run, and not final
    history = [daily(begin)]
    more = draw(st.lists(st.integers(begin + 1, LAST), max_size=6))
    for evening in range(begin + 1, LAST + 1):
        for _ in range(more.count(evening)):
            order = draw(runs(tickers, evening))
            history += [order, replace(order, without=None)] if order.without else [order]
        history.append(replace(daily(evening), twice=draw(st.integers(0, 4)) == 4))
    return history
