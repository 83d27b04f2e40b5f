"""Errors as problem+json (RFC 9457). A problem says what happened, never where the database is or what it said."""

import logging
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from include.insight_invest.errors import SchemaError, StoreError
from include.insight_invest.log import redact

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 10  # a PostgreSQL restart takes a few seconds, an RDS failover 60 to 120


class Problem(BaseModel):
    """What went wrong, as RFC 9457 section 3 has it; ``errors`` lists each unusable value of the request."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] | None = Field(None, description="where (`loc`) and what (`msg`)")


_SCHEMA = {"content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    422: {"description": "A value of the request is unusable", **_SCHEMA},
    500: {"description": "A mistake of the service", **_SCHEMA},
    503: {
        "description": "The database is away, too slow, or not at this version's schema; try again after Retry-After",
        "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}},
        **_SCHEMA,
    },
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "Not in the database", **_SCHEMA}}


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem."""
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_unusable)
    app.exception_handler(StoreError)(_store)
    app.exception_handler(SchemaError)(_schema)
    app.exception_handler(Exception)(_mistake)


def _answer(status: int, detail: str, headers: Any = None, **more: Any) -> JSONResponse:
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)
    return JSONResponse(problem.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def _away(detail: str) -> JSONResponse:
    return _answer(503, detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _refused(_: Request, error: HTTPException) -> JSONResponse:
    return _answer(error.status_code, error.detail, error.headers)


async def _unusable(_: Request, error: RequestValidationError) -> JSONResponse:
    errors = [{"loc": list(one["loc"]), "msg": one["msg"]} for one in error.errors()]
    return _answer(422, "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in errors), errors=errors)


async def _store(request: Request, error: StoreError) -> JSONResponse:
    log.warning("%s: %s", request.url.path, redact(str(error)))
    match error.__cause__:
        case psycopg.errors.QueryCanceled():
            return _away("the database took too long to answer")
        case None | psycopg.OperationalError():
            return _away("the database is away")
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedColumn():
            return _away("the database is not at this version's schema")
        case _:
            return _answer(500, "the service made a mistake; it is in its log")


async def _schema(request: Request, error: SchemaError) -> JSONResponse:
    log.warning("%s: %s", request.url.path, error)
    return _away(str(error))


async def _mistake(_: Request, __: Exception) -> JSONResponse:
    return _answer(500, "the service made a mistake; it is in its log")  # the server logs the traceback
