"""What an operator was told (tb_incident): once, whoever notices it, and that it is over.

Every statement stands by itself: two processes that notice the same at once are told apart by the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

WHOLE_RUN = "run"  # the cause of what belongs to no task

# Whoever opened it is still telling, or has died; after this long, the next one who can tells it.
TELLING = timedelta(minutes=15)
REPEATED = timedelta(hours=24)  # for this long the same finding of another run is not told again


@dataclass(frozen=True, kw_only=True)
class Incident:
    """What happened to which run. ``kind`` is late or failed; ``cause`` is a task's id, or ``WHOLE_RUN``."""

    dag_id: str
    kind: str
    cause: str
    dag_run_id: str


@dataclass(frozen=True)
class Untold:
    """An open incident that some channel, or none, has taken; ``message`` is its text."""

    incident_id: int
    dag_id: str
    kind: str
    dag_run_id: str
    message: str


@dataclass(frozen=True)
class Closed:
    """An incident that is over."""

    kind: str
    dag_run_id: str
    opened_at: datetime


def open_incident(
    connection: Connection,
    incident: Incident,
    message: str,
    now: datetime,
    *,
    started_at: datetime | None = None,
    finding: str | None = None,
) -> int | None:
    """The incident's id for who is to tell it; None where somebody has told it, or is just telling it.

    A run that has failed is not late as well, nor told by ``WHOLE_RUN`` where a task of it was. What was closed is
    opened again, and what failed again since ``started_at`` (the run was cleared). A message with the text ``finding``
    that is open and was told of another run within ``REPEATED`` is noted, and not told.
    """
    values = {
        **vars(incident),
        "message": message,
        "now": now,
        "started_at": started_at,
        "finding": finding,
        "repeated_since": now - REPEATED,
        "whole_run": WHOLE_RUN,
    }
    row = connection.execute(sql("open_incident"), values).fetchone()
    return int(str(row[0])) if row and row[0] is not None else None


def mark_told(connection: Connection, incident_id: int, message: str, now: datetime) -> None:
    """Every channel has taken the message."""
    connection.execute(
        "update tb_incident set told_at = %s, message = %s where incident_id = %s", [now, message, incident_id]
    )


def mark_untold(connection: Connection, incident_id: int, message: str, now: datetime) -> None:
    """Some channel has not taken it, and nobody is telling it: the next one who can does, at once.

    It counts as ``TELLING`` older than it is, which is what others wait for.
    """
    connection.execute(
        "update tb_incident set told_at = null, message = %s, opened_at = least(opened_at, %s) where incident_id = %s",
        [message, now - TELLING, incident_id],
    )


def claim_untold(connection: Connection, now: datetime) -> Sequence[Untold]:
    """Open incidents of all Dags that nobody has told, or is telling: they are the caller's to tell; oldest first."""
    cursor = connection.cursor(row_factory=class_row(Untold))
    return cursor.execute(sql("claim_untold"), {"now": now, "untold_since": now - TELLING}).fetchall()


def close_incidents(
    connection: Connection, dag_id: str, dag_run_id: str, now: datetime, *, opened_before: datetime | None
) -> Sequence[Closed]:
    """Close what ``dag_run_id`` has mended: its own, and what the Dag had open at ``opened_before``; oldest first.

    Only one caller is given an incident.
    """
    values = {"dag_id": dag_id, "dag_run_id": dag_run_id, "now": now, "opened_before": opened_before}
    cursor = connection.cursor(row_factory=class_row(Closed))
    return cursor.execute(sql("close_incidents"), values).fetchall()
