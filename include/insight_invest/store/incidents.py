"""What an operator was told (tb_incident): once, whoever notices it, and that it is over.

Every statement stands by itself: two processes that notice the same at once are told apart by the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

# Whoever opened it is still telling, or has died; after this long, the next one who notices it tells it again.
TELLING = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Incident:
    """What happened to which run. ``kind`` is late or failed; ``cause`` tells two of one kind apart."""

    dag_id: str
    kind: str
    cause: str
    dag_run_id: str


@dataclass(frozen=True)
class Closed:
    """An incident that is over."""

    kind: str
    dag_run_id: str
    opened_at: datetime


def open_incident(connection: Connection, incident: Incident, message: str, now: datetime) -> int | None:
    """The incident's id for who is to tell it; None where somebody has told it, or is just telling it.

    A run that has failed is not late as well. One that was closed is opened again; one that no channel took is told
    again after ``TELLING``.
    """
    row = connection.execute(
        sql("open_incident"), {**vars(incident), "message": message, "now": now, "untold_since": now - TELLING}
    ).fetchone()
    return int(str(row[0])) if row else None


def mark_told(connection: Connection, incident_id: int, now: datetime) -> None:
    """Every channel has taken the message."""
    connection.execute("update tb_incident set told_at = %s where incident_id = %s", [now, incident_id])


def close_incidents(
    connection: Connection, dag_id: str, dag_run_id: str, now: datetime, *, opened_before: datetime | None
) -> Sequence[Closed]:
    """Close what ``dag_run_id`` has mended: its own, and what the Dag had open at ``opened_before``; oldest first.

    Only one caller is given an incident.
    """
    values = {"dag_id": dag_id, "dag_run_id": dag_run_id, "now": now, "opened_before": opened_before}
    cursor = connection.cursor(row_factory=class_row(Closed))
    return cursor.execute(sql("close_incidents"), values).fetchall()
