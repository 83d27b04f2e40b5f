"""What happens to the simulated companies: listings, delistings, halts, splits and reverse splits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from local.demo_data.korea_rules import Won

LISTINGS: Final = 12
DELISTINGS: Final = 6
SPLITS: Final = 12
REVERSE_SPLITS: Final = 8
HALTS: Final = 15
SUSPENSIONS: Final = 1  # halted from shortly before the snapshots to the end

SPLIT_RATIOS: Final = (2, 5, 10)
REVERSE_RATIOS: Final = (5, 10)
SPLIT_HALT: Final = 3  # sessions without trading before the new shares are listed
DELISTING_HALT: Final = 15  # sessions without trading before a merged company leaves
HALT_SESSIONS: Final = (2, 25)


@dataclass(frozen=True)
class Events:
    """Arrays are (session, ticker); see ``korea.Market`` for their meaning."""

    listed: NDArray[np.bool_]
    halted: NDArray[np.bool_]
    first_day: NDArray[np.bool_]
    new_shares: Won
    old_shares: Won


def draw_events(generator: np.random.Generator, sessions: int, tickers: int, watched_from: int) -> Events:
    """At most one event for a ticker, spread over the years, three in five of them from session ``watched_from`` on."""
    shape = (sessions, tickers)
    events = Events(
        listed=np.ones(shape, dtype=np.bool_),
        halted=np.zeros(shape, dtype=np.bool_),
        first_day=np.zeros(shape, dtype=np.bool_),
        new_shares=np.ones(shape, dtype=np.int64),
        old_shares=np.ones(shape, dtype=np.int64),
    )
    order = iter(generator.permutation(tickers).tolist())

    def places(count: int) -> list[tuple[int, int]]:
        return [(session, next(order)) for session in _spread(generator, sessions, watched_from, count)]

    for session, ticker in places(LISTINGS):
        events.listed[:session, ticker] = False
        events.first_day[session, ticker] = True
    for session, ticker in places(DELISTINGS):
        events.listed[session:, ticker] = False
        events.halted[session - DELISTING_HALT : session, ticker] = True
    for session, ticker in places(SPLITS):
        _split(events, session, ticker, new=int(generator.choice(SPLIT_RATIOS)), old=1)
    for session, ticker in places(REVERSE_SPLITS):
        _split(events, session, ticker, new=1, old=int(generator.choice(REVERSE_RATIOS)))
    for session, ticker in places(HALTS):
        events.halted[session : session + int(generator.integers(*HALT_SESSIONS, endpoint=True)), ticker] = True
    for _ in range(SUSPENSIONS):
        events.halted[watched_from - SPLIT_HALT :, next(order)] = True
    return events


def _split(events: Events, session: int, ticker: int, *, new: int, old: int) -> None:
    events.halted[session - SPLIT_HALT : session, ticker] = True
    events.new_shares[session, ticker] = new
    events.old_shares[session, ticker] = old


def _spread(generator: np.random.Generator, sessions: int, watched_from: int, count: int) -> Sequence[int]:
    """``count`` sessions, evenly before and evenly after ``watched_from``, each moved by up to four."""
    early = count * 2 // 5
    even = np.concatenate(
        (np.linspace(25, watched_from - 25, early), np.linspace(watched_from + 8, sessions - 15, count - early))
    )
    moved = even.astype(np.int64) + generator.integers(-4, 4, count, endpoint=True)
    return [int(session) for session in moved]
