"""What is compared: every table, row by row in order, and what of it a kill may change.

Left out are the surrogate keys (``revision_id``, ``quarantine_id``; a rolled back transaction uses up numbers) and the
two columns that the clock writes (``started_at``, ``finished_at`` of the ledger). Replaced are ``meta_id`` by the
ticker and ``macro_id`` by the series, for the same reason, and ``run_id`` and ``replaced_by`` by what that run was
asked for (job and as_of): two attempts at the same are one.

The ledger after a kill has one attempt more: what is compared of it is ``LEDGER``, the sums over all attempts at the
same and how the last one ended. Not ``rows_unchanged`` and ``requests`` (the second attempt reads again what the first
has landed), ``tickers`` and ``notes`` (what the first updated, the second finds unchanged).
"""

from dataclasses import dataclass
from typing import LiteralString

from psycopg import IsolationLevel
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

_COLUMNS: LiteralString = """
    select c.relname::text, array_agg(a.attname::text order by a.attnum)
    from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname not like 'insight\\_%'
    group by 1 order by 1
"""
_KEYS = {"revision_id", "quarantine_id"}
_CLOCK = {("tb_job_run", "started_at"), ("tb_job_run", "finished_at")}
_NAMED: dict[str, LiteralString] = {
    "meta_id": "(select m.iso_code || ' ' || m.ticker from tb_meta as m where m.meta_id = t.{})",
    "macro_id": "(select m.fred from tb_macro as m where m.macro_id = t.{})",
    "run_id": "coalesce((select r.job || r.as_of from tb_job_run as r where r.run_id = t.{}), t.{}::text)",
}
_NAMED["replaced_by"] = _NAMED["run_id"]
LEDGER: LiteralString = """
    select job, shard, as_of::text, options::text, (array_agg(status order by run_id desc))[1],
           (array_agg(error order by run_id desc))[1], sum(rows_new)::int, sum(rows_changed)::int,
           sum(actions_new)::int, sum(actions_changed)::int
    from tb_job_run group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
# Rule 1 of the invariants is of runs that have ended; whoever looks while one is at work sees it running.
_OF_ENDED_RUNS = ("the newest run of", "there is no ledger row of")


@dataclass(frozen=True)
class Look:
    """What one snapshot showed: a digest of each table, the ledger in sum, and what of the invariants did not hold."""

    tables: dict[str, str]
    ledger: list[tuple[object, ...]]
    broken: list[str]

    @property
    def data(self) -> dict[str, str]:
        """The tables but for the ledger."""
        return {name: digest for name, digest in self.tables.items() if name != "tb_job_run"}


def look(connection: Connection) -> Look:
    """Look at everything in one snapshot."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        rows = [
            SQL("select {}, md5(string_agg(line, chr(10) order by line)) from ({}) as lines").format(
                Literal(table), _lines(table, columns)
            )
            for table, columns in _tables(connection).items()
        ]
        tables = {str(name): str(digest) for name, digest in connection.execute(SQL(" union all ").join(rows))}
        return Look(tables, connection.execute(LEDGER).fetchall(), _broken(connection))


def lines(connection: Connection) -> dict[str, list[str]]:
    """The rows behind the digests of ``look``."""
    return {
        table: sorted(str(row[0]) for row in connection.execute(_lines(table, columns)))
        for table, columns in _tables(connection).items()
    }


def _tables(connection: Connection) -> dict[str, list[str]]:
    return dict(connection.execute(_COLUMNS).fetchall())  # type: ignore[arg-type]


def _lines(table: str, columns: list[str]) -> Composed:
    kept = [name for name in columns if name not in _KEYS and (table, name) not in _CLOCK]
    parts = SQL(", ").join(_column(name) for name in kept)
    return SQL("select row({})::text as line from {} as t").format(parts, Identifier(table))


def _column(name: str) -> Composable:
    named = _NAMED.get(name)
    return SQL("t.{}").format(Identifier(name)) if named is None else SQL(named.replace("{}", name))


def _broken(connection: Connection) -> list[str]:
    values = {"job": "us-price", "run_id": None, "at_work": True}
    found = [str(row[0]) for row in connection.execute(sql("invariants"), values)]
    return [sentence for sentence in found if not sentence.startswith(_OF_ENDED_RUNS)]
