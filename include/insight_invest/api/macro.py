"""Macro series, as known now or as known on a day."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from include.insight_invest.api.dependencies import Day, FredId, Reader
from include.insight_invest.api.problems import NOT_FOUND
from include.insight_invest.store import read

router = APIRouter(prefix="/api", tags=["macro"])
AsOf = Annotated[Day | None, Query(description="Only what FRED had published by this day; all of it if not given")]


class Macro(BaseModel):
    fred: str
    description: str | None
    as_of: date | None
    observations: list[read.Observation] = Field(
        description="Oldest first, in the series' own unit. realtime_start is the day since which the value is known; "
        "a null value is one that FRED says does not exist."
    )


@router.get("/macro/{fred}", responses=NOT_FOUND)
def macro(connection: Reader, fred: FredId, as_of: AsOf = None) -> Macro:
    """A series in the values of its newest vintage, or of the newest one that was out on `as_of`."""
    found = read.series(connection, fred)
    if found is None:
        raise HTTPException(404, f"there is no series {fred}")
    observations = read.observations(connection, fred, as_of)
    return Macro(fred=found.fred, description=found.description, as_of=as_of, observations=observations)
