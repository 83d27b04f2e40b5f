"""How the updaters did, and what the store holds."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from include.insight_invest.api.dependencies import Reader
from include.insight_invest.store import read

router = APIRouter(prefix="/api", tags=["status"])


class Status(BaseModel):
    jobs: list[read.LedgerRow] = Field(description="the newest run of each job that has run")
    holdings: list[read.Holdings] = Field(description="per country its tickers, and `macro` the series")
    held_rows: int = Field(description="rows that wait in quarantine for a decision")


@router.get("/status")
def status(connection: Reader) -> Status:
    """The last run of each job, and the holdings of each market."""
    return Status(
        jobs=list(read.last_runs(connection).values()),
        holdings=read.holdings(connection),
        held_rows=read.held_rows(connection),
    )
