"""The demonstration's world: a real PostgreSQL database, the sources replayed from real and simulated data, and the
environment in which Airflow's processes see both. Everything it makes lies under ``.local``.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from include.insight_invest.store import migrate
from include.insight_invest.store.database import connect
from include.insight_invest.universe.import_file import import_series, import_universe
from local import LOCAL, ROOT, demo_data, postgres
from tests.replay import Replay

DATA = LOCAL / "demo-data"
DATABASE = "insight_demo"  # apart from whatever else is kept on the same server
DEMO_DAY = date(2026, 11, 20)  # fixed, so that a second demonstration finds nothing new
FRED_KEY = "demonstrationkey0000000000000000"  # the replayed FRED wants the form of a key, and knows none

# The rates that keep the real sources friendly would only slow down a server of our own.
_RATES = {f"INSIGHT_{source}_RATE": "500" for source in ("YAHOO", "NAVER", "FRED", "KRX", "NASDAQ")}


def instant_of(day: date) -> datetime:
    """The logical date that ``airflow dags test DAG <day>`` gives: midnight UTC, 09:00 in Seoul."""
    return datetime.combine(day, time(), ZoneInfo("UTC"))


def database(name: str = DATABASE, root: Path = postgres.ROOT) -> str:
    """The URL of the database ``name`` on the checkout's own server, whatever DATABASE_URL says; made if needed."""
    server = postgres.start(root)
    with psycopg.connect(server, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def prepare_database() -> str:
    """The demonstration's database with schema and universe; returns its URL."""
    demo_data.build(DATA)
    url = database()
    migrate.upgrade(url)
    with connect(url) as connection:
        import_universe(connection, DATA / "universe.csv")
        import_series(connection, DATA / "macro_series.csv")
    return url


@contextlib.contextmanager
def replayed(now: datetime) -> Iterator[Replay]:
    """The sources, as they were at ``now``."""
    demo_data.build(DATA)
    with Replay([DATA], now) as replay:
        yield replay


def environment(home: Path, database_url: str, replay_env: Mapping[str, str]) -> dict[str, str]:
    """The environment of an Airflow process: this checkout's Dags, ``home``, the database, the replayed sources."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "INSIGHT_")) and name not in ("PYTHONDONTWRITEBYTECODE", "DATABASE_URL")
    }
    return {
        **inherited,
        **replay_env,
        **_RATES,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "FRED_API_KEY": FRED_KEY,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW_CONN_INSIGHT_INVEST": database_url,
        "INSIGHT_LAKE_URL": str(LOCAL / "lake"),
    }


def migrate_airflow(env: Mapping[str, str], log: Path) -> None:
    """``airflow db migrate``: required once, quick after that. Raises CalledProcessError; ``log`` says why."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as out:
        subprocess.run(["airflow", "db", "migrate"], env=env, check=True, stdout=out, stderr=subprocess.STDOUT)
