"""The application: routers, problems, and the settings it is started with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from include.insight_invest import __version__
from include.insight_invest.api import health, macro, meta, price, problems, status
from include.insight_invest.settings import Settings, load_settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API on ``settings``, or on what the environment says when it starts.

    Starting raises ConfigurationError, naming what is missing; a database that is away stops nothing: it is asked anew
    by every request.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.settings = settings or load_settings()
        app.state.settings.require(("DATABASE_URL",))
        yield

    app = FastAPI(
        title="Insight-Invest API",
        description="Investment analysis and backtesting API",
        version=__version__,
        lifespan=lifespan,
        responses=problems.RESPONSES,
    )
    problems.install(app)
    for part in (health, status, meta, price, macro):
        app.include_router(part.router)
    return app
