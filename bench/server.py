"""The server that everything is measured against: the embedded PostgreSQL, durable, with the same settings for all."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

from include.insight_invest.store.migrate import HEAD, upgrade
from local import LOCAL, postgres

FOLDER = LOCAL / "bench"
# A quarter of a small database machine's memory; no checkpoint and no autovacuum within a measurement: both are run
# before each, by hand. Everything else is PostgreSQL's default.
SETTINGS = {
    "shared_buffers": "2GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    # Without autovacuum nobody takes up BRIN's requests to summarize: each that is refused would be a line of the log.
    "log_min_messages": "fatal",
}
# What the report names: the above, and what decides how durable and how heavy a commit is.
SHOWN = ("server_version", *SETTINGS, "fsync", "synchronous_commit", "full_page_writes", "wal_level", "wal_compression",
         "data_checksums", "jit")  # fmt: skip

_TABLES: LiteralString = """
    select string_agg(oid::regclass::text, ', ') from pg_class
    where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace
      and relname !~ '^_dlt'
      and relname not in ('insight_schema_version', 'tb_meta', 'tb_macro', 'tb_job_run', 'tb_adjustment')
"""


class Server:
    """A running server. ``url(name)`` is a database's address."""

    def __init__(self, root: Path, url: str) -> None:
        self.root = root
        self._url = url
        self._admin = psycopg.connect(url, autocommit=True)
        self._admin.execute("set client_min_messages = error")

    def url(self, name: str) -> str:
        """The URL, with password, of the database ``name``."""
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()

    def settings(self) -> dict[str, str]:
        """The settings that the report names."""
        return {name: str(self.value("select current_setting(%s)", name)) for name in SHOWN}

    def value(self, query: LiteralString, *parameters: object) -> Any:
        """The first field of what ``query`` returns, in the server's own database."""
        row = self._admin.execute(query, parameters or None).fetchone()
        return row[0] if row else None

    def fresh(self, name: str) -> str:
        """A new database at this version's schema; one of that name is dropped. Its URL."""
        self.drop(name)
        self._admin.execute(SQL("create database {}").format(Identifier(name)))
        upgrade(self.url(name))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop the database ``name``, where there is one."""
        self._admin.execute(SQL("drop database if exists {} with (force)").format(Identifier(name)))

    def kept(self, name: str, made_of: str) -> bool:
        """Whether ``name`` is a finished database (``keep``) of the same content and schema."""
        found = self.value(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", name
        )  # fmt: skip
        return bool(found == _mark(made_of))

    def keep(self, name: str, made_of: str) -> None:
        """Mark a database that later runs may take up as it is."""
        comment = SQL("comment on database {} is {}").format(Identifier(name), _mark(made_of))
        self._admin.execute(comment)

    def empty(self, name: str) -> None:
        """Empty the tables of a database, but for definitions and the ledger."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            row = connection.execute(_TABLES).fetchone()
            assert row is not None
            connection.execute(SQL("truncate {}").format(SQL(row[0])))

    def vacuum(self, name: str) -> None:
        """Vacuum and analyze the store's tables, indexes too: what autovacuum does within minutes of a load."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            row = connection.execute(_TABLES).fetchone()
            assert row is not None
            connection.execute(
                SQL("vacuum (analyze, index_cleanup on) {}, tb_meta, tb_macro, tb_job_run").format(SQL(row[0]))
            )

    def checkpoint(self) -> None:
        """Write everything out: what follows pays for its own full-page images."""
        self._admin.execute("checkpoint")

    def wal(self) -> int:
        """How many bytes of WAL were ever written."""
        return int(self.value("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    def close(self) -> None:
        """Let go of the server."""
        self._admin.close()


@contextmanager
def serving(root: Path = FOLDER) -> Iterator[Server]:
    """The server of ``root``, with SETTINGS, stopped at the end; its data stays."""
    root.mkdir(parents=True, exist_ok=True)
    url = postgres.start(root)
    try:
        if _configure(url):
            postgres.stop(root)
            url = postgres.start(root)
        server = Server(root, url)
        try:
            yield server
        finally:
            server.close()
    finally:
        postgres.stop(root)


def _configure(url: str) -> bool:
    """Write SETTINGS; whether the server has to be started again for them."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = {name: connection.execute("select current_setting(%s)", [name]).fetchone() for name in SETTINGS}
        if found == {name: (value,) for name, value in SETTINGS.items()}:
            return False
        for name, value in SETTINGS.items():
            connection.execute(SQL("alter system set {} = {}").format(SQL(name), value))
    return True


def _mark(made_of: str) -> str:
    return f"{made_of}, schema {HEAD}"


def psql(url: str, *commands: str) -> str:
    """What psql prints when it runs ``commands``; the program beside the server's own. Raises CalledProcessError."""
    at = urlsplit(url)
    environment = {"LC_ALL": "C", "PGHOST": at.hostname, "PGPORT": at.port, "PGUSER": at.username,
                   "PGPASSWORD": at.password, "PGDATABASE": at.path.removeprefix("/")}  # fmt: skip
    program = [str(postgres.binary("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    arguments = [part for command in commands for part in ("-c", command)]
    result = subprocess.run(
        [*program, *arguments],
        capture_output=True, text=True, check=True, env={name: str(value) for name, value in environment.items()},
    )  # fmt: skip
    return result.stdout
