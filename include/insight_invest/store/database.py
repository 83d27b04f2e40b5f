"""Connections. Every error that leaves this package is a StoreError without the password in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg

from include.insight_invest.errors import ConfigurationError, StoreError
from include.insight_invest.store.faults import refused, store_error

Connection = psycopg.Connection[tuple[object, ...]]

MINIMUM_VERSION = 15  # the oldest that is supported, and tested with
# A statement of the updater waits for a lock at most this long, then fails and is rolled back.
LOCK_TIMEOUT = "30s"
# A peer that falls silent, as a machine without power does, is given up after half a minute, here and by the server,
# which then rolls back and frees the lease. DATABASE_URL may say otherwise.
_NETWORK = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # ms
}
# What a server, a database or a role may have set otherwise, and statements rely on.
_SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "array_nulls": "on",
    "default_transaction_isolation": r"read\ committed",
    "tcp_keepalives_idle": 15,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
}


@contextmanager
def connect(url: str, *, application: str = "insight-invest", autocommit: bool = True) -> Iterator[Connection]:
    """Open a connection to ``url`` and close it afterwards.

    In autocommit mode each ``with connection.transaction()`` block is one transaction. Raises ConfigurationError where
    ``url`` is none, StoreError, naming the server but no secret, where it refuses, is too old, or fails while in use:
    DatabaseAway where it cannot be reached, or was lost.
    """
    _refuse_unescaped(url)
    connection = _opened(url, application, autocommit=autocommit)
    role = connection.info.user
    try:
        version = connection.info.server_version // 10000
        if version < MINIMUM_VERSION:
            raise StoreError(f"PostgreSQL {version} at {where(url)} is too old: {MINIMUM_VERSION} or newer is needed")
        yield connection
    except psycopg.Error as error:
        raise store_error(error, role=role, lost=connection.closed) from error
    finally:
        connection.close()


def _opened(url: str, application: str, *, autocommit: bool) -> Connection:
    try:
        given = psycopg.conninfo.conninfo_to_dict(url)
        session = {**_SESSION, "lock_timeout": LOCK_TIMEOUT}
        options = [str(given.get("options", "")), *(f"-c {name}={value}" for name, value in session.items())]
        return psycopg.connect(
            url,
            autocommit=autocommit,
            application_name=application,
            client_encoding="utf8",
            options=" ".join(options).strip(),
            **{name: value for name, value in _NETWORK.items() if name not in given},  # type: ignore[arg-type]
        )
    except psycopg.ProgrammingError:  # its message repeats what it could not read, password included
        raise ConfigurationError(
            "DATABASE_URL is not the URL of a PostgreSQL database: it is like postgresql://USER:PASSWORD@HOST:5432/NAME"
        ) from None
    except (psycopg.Error, UnicodeError) as error:
        raise refused(error, where=where(url)) from None


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
