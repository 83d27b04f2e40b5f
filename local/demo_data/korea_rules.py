"""The rules of the Korea Exchange that the simulated market keeps: codes, tick sizes, price limits, ex-dates."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

type Won = NDArray[np.int64]

# Tick sizes since 2023-01-25, the same on KOSPI, KOSDAQ and KONEX (KRX, KOSPI Market Business Regulation art. 31-2):
# below TICK_BOUNDS[i] won the tick is TICKS[i], from the last bound on the last tick.
TICK_BOUNDS: Final = np.array([2_000, 5_000, 20_000, 50_000, 200_000, 500_000])
TICKS: Final[Won] = np.array([1, 5, 10, 50, 100, 500, 1_000], dtype=np.int64)

# Price limits as percent of the base price (global.krx.co.kr, price limit system): 30 since 2015-06-15, KONEX 15;
# on the day of listing 60 to 400 percent of the offering price, since 2023-06-26.
LIMIT_PERCENT: Final = 30
KONEX_LIMIT_PERCENT: Final = 15
FIRST_DAY_PERCENT: Final = (60, 400)

DIVIDEND_QUARTERS: Final = (3, 6, 9, 12)


def tick(price: Won) -> Won:
    """The tick size at each price, in won."""
    return TICKS[np.searchsorted(TICK_BOUNDS, price, side="right")]


def to_tick(price: NDArray[np.float64]) -> Won:
    """Each price at the nearest price that can be quoted, in won and at least 1."""
    whole = np.maximum(np.rint(price), 1).astype(np.int64)
    step = tick(whole)
    quoted: Won = np.maximum(np.rint(price / step).astype(np.int64) * step, 1)
    return quoted


def limits(base: Won, konex: NDArray[np.bool_], first_day: NDArray[np.bool_]) -> tuple[Won, Won]:
    """The lowest and the highest price of a session that can be quoted, from each ticker's base price."""
    percent = np.where(konex, KONEX_LIMIT_PERCENT, LIMIT_PERCENT)
    lowest = base * np.where(first_day, FIRST_DAY_PERCENT[0], 100 - percent)
    highest = base * np.where(first_day, FIRST_DAY_PERCENT[1], 100 + percent) // 100
    lowest = -(-lowest // 100)
    low_step, high_step = tick(lowest), tick(highest)
    return -(-lowest // low_step) * low_step, highest // high_step * high_step


def isin(code: str) -> str:
    """The ISIN of a six-character code: KR7, code, 00 (01 for a preferred share, ...K), ISO 6166's check digit."""
    body = f"KR7{code}{'01' if code.endswith('K') else '00'}"
    digits = "".join(str(int(character, 36)) for character in body)
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return f"{body}{-sum(value // 10 + value % 10 for value in doubled) % 10}"


def ex_dates(days: Sequence[date]) -> list[int]:
    """Positions of the ex-dividend sessions: the last session but one of each quarter.

    Holders at the quarter's end are paid, and a trade settles on the second session after it.
    """
    ends = [k for k, (day, following) in enumerate(pairwise(days)) if day.month != following.month]
    ends.append(len(days) - 1)
    return [k - 1 for k in ends if days[k].month in DIVIDEND_QUARTERS]
