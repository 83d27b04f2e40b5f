"""Is the service up, and can it serve?"""

from datetime import date
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from include.insight_invest import __version__
from include.insight_invest.api.dependencies import Reader
from include.insight_invest.store import migrate, read

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    status: Literal["healthy"] = "healthy"
    service: str = "insight-invest-api"
    version: str = __version__


class Ready(BaseModel):
    status: Literal["ready"] = "ready"
    schema_version: str
    newest: dict[str, date | None] = Field(description="the newest session of each country's market")


@router.get("/")
@router.get("/health")
def alive() -> Alive:
    """The process answers; the database is not asked."""
    return Alive()


@router.get("/health/ready")
def ready(connection: Reader) -> Ready:
    """The database answers and is at this version's schema; with the newest session of each market."""
    migrate.require_current(connection)
    newest = {item.name: item.newest for item in read.holdings(connection) if item.name != "macro"}
    return Ready(schema_version=migrate.HEAD, newest=newest)
