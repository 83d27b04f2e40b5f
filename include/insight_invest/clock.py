"""The only module that asks what time it is.

Everything a run expects is derived from its ``as_of``; ``now`` is what ``as_of`` defaults to, and what a duration is
measured with.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, in UTC, aware."""
    return datetime.now(UTC)
