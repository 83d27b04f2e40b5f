"""What the server's errors mean to an operator: for each SQLSTATE (PostgreSQL manual, appendix A) what to do."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import psycopg

from include.insight_invest.errors import DatabaseAway, StoreError

# {role} is whom the connection logged in as.
_REMEDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "25006": "The server is read-only: a standby, or a failover is under way. Let DATABASE_URL name the primary, "
        "or wait until it is one, and run the job again",
        "40001": "Other sessions changed the same rows at the same time, again and again. Run the job again",
        "40P01": "Other sessions locked the same rows in another order, again and again. Run the job again",
        "42501": "The role {role} may not do that. Updaters are members of insight_updater, readers of "
        "insight_reader, the schema is its owner's: `run_scheduled_job.py db roles`, as the owner, grants what each "
        "needs (README, Roles)",
        "42703": "The schema is not this version's: was it changed while this was at work? "
        "`run_scheduled_job.py db upgrade`, then run the job again",
        "53100": "The server's disk, or a quota on it, is full: free space or enlarge the volume, then run the job "
        "again",
        "53200": "The server is out of memory: look at what else it does (pg_stat_activity), lower work_mem or "
        "max_connections, or give it more; then run the job again",
        "53300": "The server has no connection left: close idle ones (pg_stat_activity says whose they are) or raise "
        "max_connections, then run again",
        "55P03": "pg_stat_activity and pg_blocking_pids(pid) say who holds the lock: wait for that session or end it, "
        "then run again",
        "57014": "The statement was cancelled, by an operator or because it took longer than statement_timeout allows "
        "the role {role}: raise or reset it (alter role {role} reset statement_timeout), then run the job again",
    }
)
_SAME: Final[Mapping[str, str]] = MappingProxyType({"42P01": "42703", "42883": "42703", "53400": "53300"})
_LOST = "The connection was lost: the server's log says why. Run the job again when it is up"

# Another try may end otherwise: a race or a lock that was lost to another session.
LOCKED: Final = "55P03"  # for longer than lock_timeout
PASSING: Final = ("40001", "40P01", LOCKED)
# What a server says that lets nobody in just now; its errors at a connection's start have a text only.
_NOT_NOW: Final = (
    "starting up",
    "shutting down",
    "recovery mode",
    "not yet accepting connections",
    "too many clients",
    "too many connections",
    "connection slots are reserved",
    "terminating connection",
)


def store_error(error: psycopg.Error, *, role: str, lost: bool, more: str = "") -> StoreError:
    """What ``error`` means: what happened, what was kept, and what to do.

    ``lost``: it has closed its connection. ``more`` is what is known beside it.
    """
    remedy = _LOST if lost else (remedy_of(error) or "Run the job again")
    text = (
        f"the database failed ({type(error).__name__}: {first_line(error)}); the open transaction was rolled back, "
        f"what was committed before stays. {more}{remedy.format(role=role)}"
    )
    return DatabaseAway(text) if lost else StoreError(text)


def remedy_of(error: Exception) -> str | None:
    """What to do about ``error``; None where nobody has thought of it."""
    state = (error.sqlstate or "") if isinstance(error, psycopg.Error) else ""
    return _REMEDIES.get(_SAME.get(state, state))


def refused(error: Exception, *, where: str) -> StoreError:
    """What ``error``, of a connection that could not be opened, means: DatabaseAway where another try may succeed."""
    text = f"cannot connect to the database at {where}: {first_line(error)}. "
    if "FATAL:" not in str(error):  # FATAL is the server's own word
        return DatabaseAway(text + "Is it up?")
    if not any(words in str(error) for words in _NOT_NOW):
        return StoreError(text + "Check DATABASE_URL")
    crowded = any(words in str(error) for words in _NOT_NOW[4:7])
    return DatabaseAway(text + (_REMEDIES["53300"] if crowded else "Wait until it is up, then run again"))


def first_line(error: BaseException) -> str:
    """What a driver's error says, without the statement it quotes."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
