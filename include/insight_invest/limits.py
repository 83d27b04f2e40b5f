"""From where on a note about the data is a finding. Dag files read this, and ``health`` would load the store."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What may wait, and how much may be missing."""

    held_days: int = 7  # a row that waits in quarantine
    closure_days: int = 3  # a suspected closure without a decision
    gap_percent: float = 1.0  # of a market's expected bars: missing, and asked for again
    disagreements: int = 20  # not settled
