"""The factor by which one source has restated a history, inferred from the sessions that both have."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

type Floats = npt.NDArray[np.float64]

# Naver restates into whole won, and cuts some off instead of rounding (26,459 for 1,323,000 / 50).
CUT, ROUNDED = 1.0, 0.5
# Splits, consolidations and bonus issues are ratios of small numbers (2:1, 1:10, 3:2, 6:5); a rights issue's is none.
SIMPLE = 10
# A row that one of the two has corrected since does not agree with the others; more of them are no single factor.
AGREEING_SHARE = 0.8


@dataclass(frozen=True)
class Ratio:
    """New shares per old share. ``low`` and ``high`` bound it, by all of the ``agreeing`` of ``sessions``."""

    value: float
    low: float
    high: float
    sessions: int
    agreeing: int
    how: str  # simple: a ratio of small numbers; else the name of a candidate; measured: none of them

    @property
    def is_one(self) -> bool:
        """Whether nothing was restated."""
        return self.low <= 1 <= self.high


def infer_ratio(before: Floats, restated: Floats, error: Floats, candidates: Mapping[str, float]) -> Ratio | None:
    """The factor from ``restated`` closes to ``before``, one of each per session, in won; None where there is not one.

    ``error`` bounds that of ``before``. Each session bounds the factor by its rounding, a dear share more narrowly than
    a cheap one; what most of them allow stands. Of that a ratio of small numbers is taken first, then the first of the
    ``candidates``, {name: ratio}, that is allowed.
    """
    usable = (restated > CUT) & (before > error)
    before, restated, error = before[usable], restated[usable], error[usable]
    if not len(before):
        return None
    low, high = (before - error) / (restated + CUT), (before + error) / (restated - ROUNDED)
    agree = _most_agreed(low, high)
    if agree.mean() < AGREEING_SHARE:
        return None
    lowest, highest = float(low[agree].max()), float(high[agree].min())
    value, how = (lowest + highest) / 2, "measured"
    for name in reversed(list(candidates)):
        if lowest <= candidates[name] <= highest:
            value, how = candidates[name], name
    if (simple := _simple(lowest, highest)) is not None:
        value, how = simple, "simple"
    return Ratio(value, lowest, highest, len(before), int(agree.sum()), how)


def _most_agreed(low: Floats, high: Floats) -> npt.NDArray[np.bool_]:
    """The largest set of intervals that have a point in common: one of them begins there."""
    holds = (low[None, :] <= low[:, None]) & (low[:, None] <= high[None, :])
    most: npt.NDArray[np.bool_] = holds[holds.sum(axis=1).argmax()]
    return most


def _simple(low: float, high: float) -> float | None:
    """The ratio within the bounds whose smaller number is the smallest, and at most SIMPLE."""
    middle, small = (low + high) / 2, np.arange(1, SIMPLE + 1)
    large = np.maximum(np.rint(max(middle, 1 / middle) * small), 1)
    ratios = large / small if middle >= 1 else small / large
    inside = ratios[(low <= ratios) & (ratios <= high)]
    return float(inside[0]) if len(inside) else None
