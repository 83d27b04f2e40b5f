"""Reading: what an operator asks first (last runs, freshness, what waits for a decision), and what the API serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import args_row, class_row

from include.insight_invest.jobs import JOBS
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.store.statements import sql


@dataclass(frozen=True)
class LedgerRow:
    """A row of the ledger; ``tickers`` is how many ended in some state."""

    job: str
    run_id: int
    status: str
    session_date: date | None
    started_at: datetime
    seconds: float | None
    tickers: int
    rows_new: int
    rows_changed: int
    rows_unchanged: int
    rows_held: int
    requests: int
    error: str | None


@dataclass(frozen=True)
class Holdings:
    """What the store holds of one country, or of the macro series."""

    name: str
    items: int  # tickers or series
    items_with_data: int
    newest: date | None


@dataclass(frozen=True)
class Definition:
    """A row of tb_meta: one ticker of one country."""

    meta_id: int
    ticker: str
    name: str | None
    isin: str | None
    security_type: str
    asset_class: str | None
    sector: str | None
    iso_code: str
    market: str | None
    marketcap: int | None
    fee: float | None
    remark: str | None


@dataclass(frozen=True)
class Series:
    """A macro series: its FRED id and what it is."""

    fred: str
    description: str | None


@dataclass(frozen=True)
class Ended:
    """A macro series that brings nothing new: unknown to FRED, or discontinued, and when that was found."""

    fred: str
    status: str
    since: datetime


@dataclass(slots=True)  # not frozen: thousands are made for one answer, each in half the time
class Observation:
    """A value of a series, in the series' own unit, and the date since which it is known; no value is FRED's "."."""

    base_date: date
    value: float | None
    realtime_start: date


@contextmanager
def reader(url: str, *, application: str, statement_seconds: float) -> Iterator[Connection]:
    """A connection that can only select, and whose statements end after ``statement_seconds``. Raises StoreError."""
    with connect(url, application=application) as connection:
        connection.execute(
            "select set_config('default_transaction_read_only', 'on', false), "
            "set_config('statement_timeout', %s, false)",
            [f"{round(statement_seconds * 1000)}ms"],
        )
        yield connection


def last_runs(connection: Connection) -> dict[str, LedgerRow]:
    """The newest run of each job that has run."""
    rows = connection.execute(sql("last_runs"), {"jobs": list(JOBS)}).fetchall()
    return {str(row[0]): LedgerRow(*row) for row in rows}  # type: ignore[arg-type]


def newest_parts(connection: Connection) -> list[tuple[str, LedgerRow]]:
    """Of each job, of every shard of its newest division, (shard, newest whole run); and the newest run of all."""
    rows = connection.execute(sql("newest_parts"), {"jobs": list(JOBS)}).fetchall()
    return [(str(row[0]), LedgerRow(*row[1:])) for row in rows]  # type: ignore[arg-type]


def first_whole_runs(connection: Connection) -> dict[str, datetime]:
    """When each job was first run for its whole market, whatever became of it."""
    rows = connection.execute(
        "select job, min(started_at) from tb_job_run where not options ?| array['tickers', 'start', 'end'] group by job"
    ).fetchall()
    return dict(rows)  # type: ignore[arg-type]


def runs_since(connection: Connection, run_id: int) -> list[LedgerRow]:
    """The runs after ``run_id``, in their order."""
    rows = connection.execute(sql("runs_since"), {"run_id": run_id}).fetchall()
    return [LedgerRow(*row) for row in rows]  # type: ignore[arg-type]


def holdings(connection: Connection) -> list[Holdings]:
    """Per country how many tickers there are, how many have bars, and the newest session; the same of the series."""
    return [Holdings(*row) for row in connection.execute(sql("holdings")).fetchall()]  # type: ignore[arg-type]


def held_rows(connection: Connection) -> int:
    """How many rows wait in quarantine."""
    row = connection.execute("select count(*) from tb_quarantine where status = 'held'").fetchone()
    assert row is not None  # noqa: S101 (count)
    return int(str(row[0]))


@dataclass(frozen=True)
class Waiting:
    """What has waited in quarantine for a decision since before some instant; ``tickers`` are the longest waiting."""

    rows: int
    oldest: datetime
    tickers: list[str]


def held_before(connection: Connection, moment: datetime, tickers: int = 5) -> Waiting | None:
    """The rows that have been held since before ``moment``, with the first ``tickers`` of them; None without any."""
    row = connection.execute(
        "select count(*), min(held_at), (array_agg(ticker order by quarantine_id))[:%s] from tb_quarantine "
        "where status = 'held' and held_at < %s",
        [tickers, moment],
    ).fetchone()
    return Waiting(*row) if row and row[0] else None  # type: ignore[arg-type]


def ended_series(connection: Connection) -> list[Ended]:
    """The macro series that FRED does not know, or that have come to their end."""
    statement = "select fred, status, status_since as since from tb_macro where status <> 'live' order by status, fred"
    return connection.cursor(row_factory=class_row(Ended)).execute(statement).fetchall()


def definitions(connection: Connection, *, after: int, limit: int, iso_code: str | None = None) -> list[Definition]:
    """The next ``limit`` tickers whose meta_id is above ``after``, of one country or of all."""
    values = {"after": after, "limit": limit, "iso_code": iso_code}
    return connection.cursor(row_factory=class_row(Definition)).execute(sql("definitions"), values).fetchall()


def has_definition(connection: Connection, meta_id: int) -> bool:
    """Whether tb_meta has ``meta_id``."""
    return connection.execute("select 1 from tb_meta where meta_id = %s", [meta_id]).fetchone() is not None


def series(connection: Connection, fred: str) -> Series | None:
    """The series with this FRED id."""
    statement = "select fred, description from tb_macro where fred = %s"
    return connection.cursor(row_factory=class_row(Series)).execute(statement, [fred]).fetchone()


def observations(connection: Connection, fred: str, as_of: date | None = None) -> list[Observation]:
    """The series as it was known on ``as_of`` (in FRED's dates), or as it is known now; oldest first."""
    values = {"fred": fred, "as_of": as_of}
    cursor = connection.cursor(row_factory=args_row(Observation), binary=True)
    return cursor.execute(sql("observations"), values).fetchall()
