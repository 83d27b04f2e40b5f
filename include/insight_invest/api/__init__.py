"""The read API: FastAPI over the store, select only. Run it with ``uvicorn include.insight_invest.api:app``.

Imports go api → store; the API never fetches, writes or schedules. ``app`` is made when it is first asked for, so that
importing this package costs nothing and reads no environment.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    app: FastAPI

__all__ = ["app"]


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from include.insight_invest.api.application import create_app

    globals()["app"] = created = create_app()
    return created
