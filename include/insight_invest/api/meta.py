"""What is in the universe."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from include.insight_invest.api.dependencies import After, IsoCode, Limit, Reader
from include.insight_invest.store import read

router = APIRouter(prefix="/api", tags=["meta"])


class Page(BaseModel):
    items: list[read.Definition]
    next: int | None = Field(description="`after` of the next page; null on the last one")


@router.get("/meta")
def meta(connection: Reader, iso_code: IsoCode = None, after: After = 0, limit: Limit = 100) -> Page:
    """Tickers in the order of meta_id. Pages stay right while tickers are added."""
    found = read.definitions(connection, after=after, limit=limit + 1, iso_code=iso_code)
    items = found[:limit]
    return Page(items=items, next=items[-1].meta_id if len(found) > limit else None)
