"""The page "Insight-Invest" in Airflow's navigation: how each updater did last, and what the database holds.

It reads the database of the Airflow connection `insight_invest` and writes nothing. Airflow gives a plugin's page no
authentication of its own, so every request must carry the login of Airflow's UI. Scheduler, workers and triggerer
import this file too: what only the page needs is imported when the page is first asked for.
"""

import logging
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from fastapi import FastAPI
    from jinja2 import Template
    from starlette.types import Receive, Scope, Send

    from include.insight_invest.store.read import Holdings, LedgerRow

log = logging.getLogger(__name__)

STATEMENT_SECONDS = 5
_FOLDER = Path(__file__).parent / "insight_status_page"


@dataclass
class Facts:
    """What the page shows; ``problem`` says why there is nothing to show."""

    runs: "list[LedgerRow]" = field(default_factory=list)
    holdings: "list[Holdings]" = field(default_factory=list)
    held_rows: int = 0
    problem: str | None = None


def look() -> Facts:
    """Read the facts; a database that is away or not ready is a problem to show, not an error."""
    from airflow.models.connection import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    from include.insight_invest.errors import SchemaError, StoreError
    from include.insight_invest.log import redact
    from include.insight_invest.orchestration.database import CONNECTION, connection_url
    from include.insight_invest.store import migrate, read

    try:
        url = connection_url(Connection.get_connection_from_secrets(CONNECTION))
        with read.reader(url, application="insight-invest status", statement_seconds=STATEMENT_SECONDS) as connection:
            migrate.require_current(connection)
            runs = list(read.last_runs(connection).values())
            return Facts(runs, read.holdings(connection), read.held_rows(connection))
    except AirflowNotFoundException:
        return Facts(problem=f"The Airflow connection {CONNECTION} is not defined.")
    except SchemaError as error:
        return Facts(problem=f"The database is not ready: {error}.")
    except StoreError as error:
        log.warning("the status page cannot read the database: %s", redact(str(error)))
        return Facts(
            problem=f"The database of the connection {CONNECTION} does not answer; the API server's log says why."
        )


def render(facts: Facts) -> str:
    """The page as HTML, every value escaped."""
    return _template().render(facts=facts, style=_style())


@cache
def application() -> "FastAPI":
    """The page's application: one path, for whoever is logged in to Airflow."""
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import Depends, FastAPI
    from fastapi.responses import HTMLResponse

    # Only the page's own style, no script, shown only inside this Airflow.
    digest = b64encode(sha256(_style().encode()).digest()).decode()
    headers = {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'self'",
        "Cache-Control": "no-store",
    }
    app = FastAPI(openapi_url=None, dependencies=[Depends(get_user)])

    @app.get("/")
    def page() -> HTMLResponse:
        facts = look()
        return HTMLResponse(render(facts), 503 if facts.problem else 200, headers)

    return app


async def serve(scope: "Scope", receive: "Receive", send: "Send") -> None:
    """ASGI: what Airflow mounts; the application behind it is made by the first request."""
    await application()(scope, receive, send)


@cache
def _style() -> str:
    return (_FOLDER / "page.css").read_text(encoding="utf-8")


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html.jinja")


class InsightStatusPlugin(AirflowPlugin):
    """Puts the page into the navigation."""

    name = "insight_status"
    fastapi_apps = [{"app": serve, "url_prefix": "/insight-invest", "name": "Insight-Invest"}]  # noqa: RUF012 (Airflow's)
    # Relative: the UI puts it below the base URL, which may have a path.
    external_views = [  # noqa: RUF012 (Airflow's)
        {"name": "Insight-Invest", "href": "insight-invest/", "destination": "nav", "url_route": "insight-invest"}
    ]
