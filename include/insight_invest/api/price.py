"""Prices of one ticker."""

from datetime import date

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from include.insight_invest.api.dependencies import MetaId, Range, Reader
from include.insight_invest.api.problems import NOT_FOUND
from include.insight_invest.store import read
from include.insight_invest.store.prices import Price, prices

router = APIRouter(prefix="/api", tags=["price"])


class Prices(BaseModel):
    meta_id: int
    start: date
    end: date
    prices: list[Price] = Field(
        description="Oldest first. Prices and volume are in today's shares (split-adjusted); adj_close also takes off "
        "dividends; gross_return is the return since the session before, dividends included, as a fraction."
    )


@router.get("/price/{meta_id}", responses=NOT_FOUND)
def price(connection: Reader, meta_id: MetaId, days: Range) -> Prices:
    """Daily prices of a ticker."""
    if not read.has_definition(connection, meta_id):
        raise HTTPException(404, f"there is no ticker with meta_id {meta_id}")
    found = prices(connection, meta_id, days.start, days.end)
    return Prices(meta_id=meta_id, start=days.start, end=days.end, prices=found)
