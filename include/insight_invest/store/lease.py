"""One run of a job at a time. An advisory lock: a holder that dies frees it at once, with nothing to clean up."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from include.insight_invest.errors import LeaseHeld
from include.insight_invest.store.database import Connection


@contextmanager
def lease(connection: Connection, job: str, shard: tuple[int, int]) -> Iterator[None]:
    """Hold the lease of ``job``, or of one ``shard`` (I of N) of it, on ``connection``. Raises LeaseHeld.

    A whole run excludes every other; shards of a job exclude a whole run and themselves, not each other.
    """
    index, count = shard
    whole = "pg_try_advisory_lock" if count == 1 else "pg_try_advisory_lock_shared"
    held = [_take(connection, whole, f"insight:{job}")]
    if count > 1:
        held.append(_take(connection, "pg_try_advisory_lock", f"insight:{job}:{index}/{count}"))
    try:
        if not all(held):
            raise LeaseHeld(
                f"another run of {job} is at work; nothing was started. It ends by itself, or frees its lease when it "
                "dies: run again later"
            )
        yield
    finally:
        if not connection.closed and connection.info.transaction_status.name == "IDLE":
            with suppress(psycopg.OperationalError):  # a connection that is lost just now frees them too
                connection.execute("select pg_advisory_unlock_all()")


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


def _take(connection: Connection, function: str, name: str) -> bool:
    row = connection.execute(f"select {function}(hashtextextended(%s, 0))", [name]).fetchone()
    return bool(row and row[0])
