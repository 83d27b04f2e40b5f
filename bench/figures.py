"""Statistics: medians, and ratios of what was measured in the same round."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Summary:
    """The middle and the ends of some figures."""

    min: float
    median: float
    max: float


def summary(figures: Sequence[float]) -> dict[str, float]:
    """min, median and max of ``figures``; raises ValueError for none."""
    if not figures:
        raise ValueError("nothing was measured")
    return asdict(Summary(min(figures), float(median(figures)), max(figures)))


def speed_ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """How many times as fast ours was, each round by itself: their seconds / our seconds on the same rows.

    Raises ValueError where the rounds are not pairs.
    """
    return summary([their / our for our, their in zip(ours, theirs, strict=True)])
