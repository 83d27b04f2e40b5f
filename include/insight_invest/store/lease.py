"""One run of a job at a time. An advisory lock: a holder that dies frees it at once, with nothing to clean up."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from include.insight_invest.errors import LeaseHeld
from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

log = logging.getLogger(__name__)

# Who waits asks again that often. Not by a lock request in the server's queue: that of a whole run would keep shards of
# the run that it waits for from starting, and a waiter that dies would stand in the queue until its turn.
POLL_SECONDS = 0.5


@contextmanager
def lease(connection: Connection, job: str, shard: tuple[int, int], *, wait: float = 0) -> Iterator[None]:
    """Hold the lease of ``job``, or of one ``shard`` (I of N) of it, on ``connection``.

    A whole run excludes every other; shards of a job exclude a whole run and themselves, not each other. Raises
    LeaseHeld where another has it, after ``wait`` seconds of asking again.
    """

    def tell(state: RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome:
            told = str(state.outcome.exception()).partition("; nothing was started")[0]
            log.info("%s waits up to %s s: %s", job, wait, told)

    retrying = Retrying(
        retry=retry_if_exception_type(LeaseHeld),
        stop=stop_after_delay(wait),
        wait=wait_fixed(POLL_SECONDS),
        before_sleep=tell,
        reraise=True,
    )
    try:
        retrying(_take_all, connection, job, shard)
        yield
    finally:
        _free(connection)


def is_held(connection: Connection, job: str) -> bool:
    """Whether some run of ``job``, whole or a shard, is at work; looks only, and takes nothing."""
    row = connection.execute(
        "select exists (select from pg_locks where locktype = 'advisory' and objsubid = 1 and granted "
        "and database = (select oid from pg_database where datname = current_database()) "
        "and (classid::bigint << 32) | objid::bigint = hashtextextended(%s, 0))",
        [f"insight:{job}"],
    ).fetchone()
    return bool(row and row[0])


def one_batch_at_a_time(connection: Connection) -> None:
    """Let no other run land a batch until this transaction ends: two that add the same new key would collide."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended('insight:batch', 0))")


def _take_all(connection: Connection, job: str, shard: tuple[int, int]) -> None:
    """Take the locks that are the lease, or none of them: then raise LeaseHeld and say who has it."""
    index, count = shard
    whole, part = f"insight:{job}", f"insight:{job}:{index}/{count}"
    held = [_take(connection, "pg_try_advisory_lock" if count == 1 else "pg_try_advisory_lock_shared", whole)]
    if count > 1:
        held.append(_take(connection, "pg_try_advisory_lock", part))
    if all(held):
        return
    _free(connection)
    row = connection.execute(sql("lease_holder"), {"whole": whole, "part": part, "shared": count > 1}).fetchone()
    who = f" ({row[0]})" if row and row[0] else ""
    raise LeaseHeld(
        f"another run of {job} is at work{who}; nothing was started. It ends by itself, or frees its lease when it "
        "dies: run again later, or with --wait"
    )


def _free(connection: Connection) -> None:
    if not connection.closed and connection.info.transaction_status.name == "IDLE":
        with suppress(psycopg.OperationalError):  # a connection that is lost just now frees them too
            connection.execute("select pg_advisory_unlock_all()")


def _take(connection: Connection, function: str, name: str) -> bool:
    row = connection.execute(f"select {function}(hashtextextended(%s, 0))", [name]).fetchone()
    return bool(row and row[0])
