"""Every error this project raises on purpose, as one tree. The number is the process's exit code.

    InsightError                      1
    ├── UsageError                    2   the call is wrong: nothing was started
    │   ├── ConfigurationError        2   a setting is missing or unusable
    │   ├── UniverseError             2   a universe file, or an empty universe
    │   └── SchemaError               2   the database is not at this version's schema
    ├── SourceError                   1   a source did not give what was asked
    │   ├── SourceUnavailable         1   down, refusing, or answering something that is not data
    │   ├── Throttled                 1   the source asks us to slow down (429; FRED also 403)
    │   ├── NotFound                  1   the source does not know this ticker or series
    │   └── StaleSource               1   the source answers, but with an older session than the market has had
    ├── BatchRefused                  1   a batch failed its checks: nothing of it was loaded
    ├── StoreError                    1   the database refused or went away; the transaction was rolled back
    │   ├── DatabaseAway              1   it cannot be reached, or the connection was lost: it may come back
    │   └── InvariantBroken           1   audit found ledger and data apart
    ├── LakeError                     1   the lake's folder or bucket refused: its whole files stay as they were
    ├── DeploymentError               1   what a deploy left behind lacks something: no updater was started
    ├── CoverageBroken                1   audit found a session without a bar, a reason or a gap
    ├── BudgetExceeded                3   finished, but more failed than the budget allows; what was loaded stays
    ├── LeaseHeld                    75   another run of this job is at work (EX_TEMPFAIL: try again later)
    └── Terminated                  143   stopped by SIGTERM, after the open transaction was rolled back

A message says what happened, what was kept, and what to do next. Secrets never enter a message (see ``log.redact``).
"""

from typing import ClassVar


class InsightError(Exception):
    """Root of the tree; ``exit_code`` is what the command line ends with."""

    exit_code: ClassVar[int] = 1


class UsageError(InsightError):
    """The call is wrong; nothing was started."""

    exit_code = 2


class ConfigurationError(UsageError):
    """A setting is missing or unusable."""


class UniverseError(UsageError):
    """A universe file cannot be read, or there is nothing in the universe to update."""


class SchemaError(UsageError):
    """The database is not at this version's schema: run ``db upgrade``."""


class SourceError(InsightError):
    """A source did not give what was asked."""


class SourceUnavailable(SourceError):
    """The source is down, refuses, or answers with something that is not data."""


class Throttled(SourceError):
    """The source asks us to slow down."""


class NotFound(SourceError):
    """The source does not know this ticker or series."""


class StaleSource(SourceError):
    """The source answers, but with an older session than the market has had."""


class BatchRefused(InsightError):
    """A batch failed its checks; nothing of it was loaded."""


class StoreError(InsightError):
    """The database refused or went away; the open transaction was rolled back."""


class DatabaseAway(StoreError):
    """The server cannot be reached, lets nobody in just now, or has gone in the middle: it may come back."""


class InvariantBroken(StoreError):
    """Audit found ledger and data apart."""


class LakeError(InsightError):
    """The lake's folder or bucket refused, or went away; every file in it is whole."""


class DeploymentError(InsightError):
    """What a deploy left behind lacks something that a run will need."""


class CoverageBroken(InsightError):
    """Audit found a session of a ticker that has neither a bar, nor a reason, nor an open gap."""


class BudgetExceeded(InsightError):
    """Finished, but more tickers failed than the budget allows. What was loaded stays."""

    exit_code = 3


class LeaseHeld(InsightError):
    """Another run of the same job holds its lease."""

    exit_code = 75


class Terminated(InsightError):
    """Stopped by SIGTERM after the open transaction was rolled back."""

    exit_code = 143
