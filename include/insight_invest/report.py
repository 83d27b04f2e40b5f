"""What a run says of itself: one object, printed by ``--json``, shown in the table, returned to Airflow."""

from collections import Counter
from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from include.insight_invest.sources.base import State
from include.insight_invest.wording import count

SHOWN_PROBLEMS = 100


class Status(StrEnum):
    """How a run ended; as in tb_job_run."""

    SUCCEEDED = "succeeded"
    OVER_BUDGET = "over_budget"
    FAILED = "failed"
    TERMINATED = "terminated"
    REFUSED = "refused"  # not started, and so not in the ledger


class Problem(BaseModel):
    """A ticker that did not end updated or unchanged."""

    ticker: str
    state: State
    reason: str


class Rows(BaseModel):
    """Rows of bars or vintages."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    held_back: int = 0


class Report(BaseModel):
    """One run of one job."""

    job: str
    status: Status
    exit_code: int
    run_id: int | None = Field(default=None, description="tb_job_run.run_id; none for a dry run")
    dry_run: bool = False
    as_of: datetime
    session: date | None = Field(
        default=None, description="the market date: the newest session that had closed at as_of"
    )
    source: str | None = Field(
        default=None, description="where the rows came from; more than one where a fallback helped"
    )
    tickers: dict[State, int] = Field(default_factory=dict)
    rows: Rows = Rows()
    actions_new: int = 0
    actions_changed: int = 0
    requests: int = 0
    seconds: float = 0
    notes: list[str] = Field(default_factory=list, description="what an operator should know although nothing failed")
    problems: list[Problem] = Field(default_factory=list, description=f"the first {SHOWN_PROBLEMS}; all in the ledger")
    error: str | None = None

    def summary(self) -> str:
        """One sentence for a log line."""
        tickers = ", ".join(f"{count} {state}" for state, count in sorted(self.tickers.items())) or "no tickers"
        return (
            f"{self.job} {self.status}{' (dry run)' if self.dry_run else ''}: session {self.session}, {tickers}; rows "
            f"{self.rows.new} new, {self.rows.changed} changed, {self.rows.unchanged} unchanged, "
            f"{self.rows.held_back} held back; {count(self.requests, 'request')}, {self.seconds:.1f} s"
            + (f"; {self.error}" if self.error else "")
        )


def count_states(outcomes: dict[str, tuple[State, str | None]]) -> dict[State, int]:
    """How many tickers ended in each state."""
    return dict(sorted(Counter(state for state, _ in outcomes.values()).items()))
