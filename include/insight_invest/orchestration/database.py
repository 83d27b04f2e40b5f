"""The database under Airflow: the connection ``insight_invest``."""

from typing import Any
from urllib.parse import quote, urlencode

CONNECTION = "insight_invest"


def connection_url(connection: Any) -> str:
    """An Airflow connection as a URL for libpq; Airflow's own ``get_uri`` adds extras that libpq does not know."""
    login = quote(connection.login or "", safe="")
    if connection.password:
        login += f":{quote(connection.password, safe='')}"
    place = f"{connection.host or 'localhost'}:{connection.port or 5432}"
    options = {name: value for name, value in connection.extra_dejson.items() if name.startswith(("ssl", "connect_"))}
    query = f"?{urlencode(options)}" if options else ""
    return f"postgresql://{login}@{place}/{quote(connection.schema or '', safe='')}{query}"
