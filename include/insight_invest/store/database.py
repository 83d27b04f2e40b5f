"""Connections. Every error that leaves this package is a StoreError without the password in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg

from include.insight_invest.errors import ConfigurationError, StoreError

Connection = psycopg.Connection[tuple[object, ...]]

MINIMUM_VERSION = 15  # the oldest that is supported, and tested with
CONNECT_TIMEOUT_SECONDS = 10
# A statement of the updater waits for a lock at most this long, then fails and is rolled back.
LOCK_TIMEOUT = "30s"


@contextmanager
def connect(url: str, *, application: str = "insight-invest", autocommit: bool = True) -> Iterator[Connection]:
    """Open a connection to ``url`` and close it afterwards.

    In autocommit mode each ``with connection.transaction()`` block is one transaction. Raises ConfigurationError where
    ``url`` is none, StoreError, naming the server but no secret, where it cannot be reached, is too old, or fails while
    in use.
    """
    _refuse_unescaped(url)
    try:
        connection = psycopg.connect(
            url,
            autocommit=autocommit,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            application_name=application,
            options=f"-c timezone=UTC -c lock_timeout={LOCK_TIMEOUT}",
        )
    except psycopg.ProgrammingError:  # its message repeats what it could not read, password included
        raise ConfigurationError(
            "DATABASE_URL is not the URL of a PostgreSQL database: it is like postgresql://USER:PASSWORD@HOST:5432/NAME"
        ) from None
    except (psycopg.Error, UnicodeError) as error:
        hint = "Check DATABASE_URL" if "FATAL:" in str(error) else "Is it up?"  # FATAL is the server's own word
        raise StoreError(f"cannot connect to the database at {where(url)}: {first_line(error)}. {hint}") from None
    try:
        version = connection.info.server_version // 10000
        if version < MINIMUM_VERSION:
            raise StoreError(f"PostgreSQL {version} at {where(url)} is too old: {MINIMUM_VERSION} or newer is needed")
        yield connection
    except psycopg.Error as error:
        raise StoreError(
            f"the database failed ({type(error).__name__}: {first_line(error)}); the open transaction was rolled "
            "back, what was committed before stays. Run the job again"
        ) from error
    finally:
        connection.close()


def _refuse_unescaped(url: str) -> None:
    """A password with / @ ? or # in it is read as a host or a name, and would stand in the message that says so."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return  # libpq says what it is
    if parts.scheme and (parts.netloc.count("@") > 1 or "@" in parts.path + parts.query + parts.fragment):
        raise ConfigurationError(
            "DATABASE_URL cannot be read: a password's / @ ? # : and % are written %2F %40 %3F %23 %3A and %25 in a URL"
        )


def where(url: str) -> str:
    """``host:port/name`` of a database URL, for messages."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        return "DATABASE_URL (which is not a PostgreSQL URL)"
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def first_line(error: BaseException) -> str:
    """What a driver's error says, without the statement it quotes."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
