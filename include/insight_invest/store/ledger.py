"""The ledger, tb_job_run: one row per attempt, written in the transactions of the data it accounts for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from include.insight_invest import __version__
from include.insight_invest.errors import LeaseHeld
from include.insight_invest.store.database import Connection
from include.insight_invest.store.lease import is_held
from include.insight_invest.store.load import Counts
from include.insight_invest.store.statements import sql

# The key in tb_job_run.tickers, beside the states, of what an unfinished run over listings has landed.
PART = "part"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What a run is about to do."""

    job: str
    shard: tuple[int, int]
    trigger: str
    as_of: datetime
    session_date: date | None
    started_at: datetime
    options: dict[str, Any] = field(default_factory=dict)


def close_lost(connection: Connection, job: str, shard: tuple[int, int], now: datetime) -> int:
    """Close rows that a dead run left open; returns how many.

    The caller holds the lease of its shard: no whole run and no other run of that shard lives. A whole run's lease says
    that of every shard.
    """
    return connection.execute(
        """
        update tb_job_run set status = 'lost', finished_at = %(now)s, error = 'the run died; found by the next one'
        where job = %(job)s and status = 'running' and (%(shard)s = '1/1' or shard in ('1/1', %(shard)s))
        """,
        {"now": now, "job": job, "shard": _shard(shard)},
    ).rowcount


def open_run(connection: Connection, attempt: Attempt) -> int:
    """Add the row of ``attempt``, running, and return its run_id."""
    row = connection.execute(
        """
        insert into tb_job_run (job, shard, status, trigger, version, as_of, session_date, options, started_at)
        values (%s, %s, 'running', %s, %s, %s, %s, %s, %s) returning run_id
        """,
        [
            attempt.job,
            _shard(attempt.shard),
            attempt.trigger,
            __version__,
            attempt.as_of,
            attempt.session_date,
            Jsonb(attempt.options),
            attempt.started_at,
        ],
    ).fetchone()
    assert row is not None  # noqa: S101 (insert returning)
    assert isinstance(row[0], int)  # noqa: S101 (a bigint)
    return row[0]


def add(connection: Connection, run_id: int, counts: Counts) -> str:
    """Account for one batch, in its transaction; returns the version of the row that is then the batch's own."""
    row = connection.execute(
        """
        update tb_job_run
        set rows_new = rows_new + %s, rows_changed = rows_changed + %s, rows_unchanged = rows_unchanged + %s,
            rows_held = rows_held + %s, actions_new = actions_new + %s, actions_changed = actions_changed + %s
        where run_id = %s
        returning xmin::text
        """,
        [
            counts.new,
            counts.changed,
            counts.unchanged,
            counts.held,
            counts.actions_new,
            counts.actions_changed,
            run_id,
        ],
    ).fetchone()
    assert row is not None  # noqa: S101 (a run at work has its row)
    return str(row[0])


def version(connection: Connection, run_id: int) -> str:
    """The version of the row of ``run_id``: the transaction that wrote it last. Only its run writes it.

    Raises LeaseHeld where another run has found it open without its lease, and closed it.
    """
    row = connection.execute(
        "select xmin::text from tb_job_run where run_id = %s and status <> 'lost'", [run_id]
    ).fetchone()
    if row is None:
        raise LeaseHeld(
            f"the connection was lost, and meanwhile another run took the lease and closed run {run_id} as lost: "
            "nothing more was written, what was committed stays. Run again later"
        )
    return str(row[0])


def remember(connection: Connection, run_id: int, tickers: dict[str, dict[str, str | None]], requests: int) -> None:
    """Write into the row of a run at work how its tickers ended so far, {state: {ticker: reason}}."""
    connection.execute(
        "update tb_job_run set tickers = %s, requests = %s where run_id = %s", [Jsonb(tickers), requests, run_id]
    )


def landed_before(
    connection: Connection, run_id: int, end: date, since: datetime
) -> dict[str, tuple[str, str | None, int]]:
    """{ticker: (state, reason, run_id)} of what runs with the wish of ``run_id``, whose last session is ``end``, have
    landed since the last of them that finished, and with an as_of of ``since`` or later. Not those in parts."""
    values = {"run_id": run_id, "end": end, "since": since, "part": PART, "parts": False}
    rows = connection.execute(sql("landed_before"), values).fetchall()
    return {row[0]: row[1:] for row in rows}  # type: ignore[misc]


def parts_before(connection: Connection, run_id: int, end: date, since: datetime) -> set[str]:
    """The same of those that land in parts: which parts."""
    values = {"run_id": run_id, "end": end, "since": since, "part": PART, "parts": True}
    return {str(row[0]) for row in connection.execute(sql("landed_before"), values)}


def close_run(
    connection: Connection,
    run_id: int,
    *,
    status: str,
    finished_at: datetime,
    tickers: dict[str, dict[str, str | None]],
    requests: int,
    error: str | None,
    notes: Sequence[str] = (),
) -> None:
    """End the row: ``tickers`` is {state: {ticker: reason}}, ``notes`` what the operator was told."""
    connection.execute(
        """
        update tb_job_run
        set status = %s, finished_at = %s, tickers = %s, requests = %s, error = %s, notes = %s
        where run_id = %s
        """,
        [status, finished_at, Jsonb(tickers), requests, error, Jsonb(list(notes)), run_id],
    )


@dataclass(frozen=True)
class Finished:
    """How the newest attempt of one shard ended; the rows are those of all its attempts."""

    run_id: int
    shard: str
    status: str
    rows_new: int
    rows_changed: int
    rows_unchanged: int
    rows_held: int
    tickers: int


def rows_of(runs: Iterable[Any]) -> dict[str, int]:
    """The rows of ``runs``, anything with the ledger's counts, by what became of them."""
    counted, names = list(runs), ("new", "changed", "unchanged", "held")
    return {name: sum(getattr(run, f"rows_{name}") for run in counted) for name in names}


def finished_by(connection: Connection, job: str, trigger: str, since: datetime | None = None) -> list[Finished]:
    """What ``trigger`` has started, ``since`` then, shard by shard."""
    cursor = connection.cursor(row_factory=class_row(Finished))
    return cursor.execute(sql("finished_by"), {"job": job, "trigger": trigger, "since": since}).fetchall()


def broken_invariants(connection: Connection, job: str, run_id: int | None = None) -> list[str]:
    """What the invariants find wrong, each as a sentence; empty when ledger and data agree.

    Judged is ``run_id``; without it the newest run, be it dead, but not one that is still at work.
    """
    values = {"job": job, "run_id": run_id, "at_work": is_held(connection, job)}
    return [str(row[0]) for row in connection.execute(sql("invariants"), values)]


def _shard(shard: tuple[int, int]) -> str:
    return f"{shard[0]}/{shard[1]}"
