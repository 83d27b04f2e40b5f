"""Schema versions, by Alembic. ``db upgrade`` takes an empty or a v2 database to this version's schema.

Its version table has a name of its own, so that an Alembic history which an application keeps in the same database is
left alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import psycopg

from include.insight_invest.errors import SchemaError, StoreError
from include.insight_invest.store.backends import Watch
from include.insight_invest.store.database import Connection, connect

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "insight_schema_version"
HEAD = "0004"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` to ``revision``. Raises SchemaError; then nothing was changed."""
    from alembic import command

    _migrate(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the database at ``url`` back to ``revision`` (``base``: the v2 tables as they were).

    What later versions stored is set aside in the schema ``insight_archive``, and taken up again by ``upgrade``.
    """
    from alembic import command

    _migrate(url, lambda config: command.downgrade(config, revision))


def require_current(connection: Connection) -> None:
    """Raise SchemaError unless the database is at this version's schema."""
    found = current(connection)
    if found != HEAD:
        state = "has no Insight-Invest schema" if found is None else f"is at schema {found}"
        raise SchemaError(f"the database {state}, this version needs {HEAD}: run `run_scheduled_job.py db upgrade`")


def current(connection: Connection) -> str | None:
    """The schema version the database is at; None before the first upgrade."""
    try:
        row = connection.execute(f"select version_num from {VERSION_TABLE}").fetchone()  # noqa: S608 (a constant)
    except psycopg.errors.UndefinedTable:
        return None
    return cast("str", row[0]) if row else None


def _migrate(url: str, action: "Callable[[Config], None]") -> None:
    from alembic.config import Config
    from alembic.util.exc import CommandError
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with connect(url, application="insight-invest migrate", autocommit=False) as connection:
        # Whoever comes second waits, and finds nothing left to do; freed with the connection.
        connection.execute("select pg_advisory_lock(hashtextextended('insight:migrate', 0))")
        connection.commit()
        config.attributes["connection"] = connection
        watch = Watch(url, connection.info.backend_pid)
        try:
            with watch:
                action(config)
        except CommandError as error:
            raise SchemaError(f"cannot migrate: {error}") from None
        except DBAPIError as error:
            # SQLAlchemy's error quotes the whole script; the driver's own says what is wrong.
            if isinstance(error.orig, psycopg.errors.RaiseException):
                raise SchemaError(f"cannot migrate: {error.orig.diag.message_primary}. Nothing was changed") from None
            if isinstance(error.orig, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
                raise StoreError(
                    f"the schema was not changed: a table is in use. {watch.told or 'pg_stat_activity says by whom'}. "
                    "Run it again when that is over, or between two runs of the jobs"
                ) from None
            raise (error.orig or error) from None
