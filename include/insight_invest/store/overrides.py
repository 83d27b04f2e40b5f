"""tb_session_override: what the market's silence, and an operator, say about the calendar. The tables stay in files.

A session is *suspected* closed when no source had a bar of it in time, *closed* when an operator confirmed that, *open*
when bars came after all or an operator refused the suspicion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import LoadContext


class SessionState(StrEnum):
    """What is thought of a session of the tables."""

    SUSPECTED = "suspected"
    CLOSED = "closed"
    OPEN = "open"


NOT_EXPECTED = (SessionState.SUSPECTED, SessionState.CLOSED)


@dataclass(frozen=True)
class Override:
    """One row of tb_session_override."""

    exchange: str
    session_date: date
    state: str
    evidence: dict[str, Any]
    observed_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    note: str | None


def overrides(connection: Connection, exchange: str | None = None) -> list[Override]:
    """Every session that something is known of beside the tables, newest first; of one exchange or of all."""
    statement = (
        "select exchange, session_date, state, evidence, observed_at, decided_at, decided_by, note "
        "from tb_session_override where %(exchange)s::text is null or exchange = %(exchange)s "
        "order by session_date desc, exchange"
    )
    return connection.cursor(row_factory=class_row(Override)).execute(statement, {"exchange": exchange}).fetchall()


def silent_sessions(connection: Connection, exchange: str, states: Sequence[SessionState] = NOT_EXPECTED) -> set[date]:
    """The sessions of which no bar is expected although the tables have them: suspected or confirmed closures."""
    return {found.session_date for found in overrides(connection, exchange) if found.state in states}


def suspected(connection: Connection) -> list[Override]:
    """The suspected closures, which somebody may confirm or refuse; newest first."""
    return [found for found in overrides(connection) if found.state == SessionState.SUSPECTED]


def suspect(connection: Connection, exchange: str, day: date, evidence: dict[str, Any], context: LoadContext) -> None:
    """Record that ``day`` was perhaps no session. One that something is known of already stays as it is."""
    connection.execute(
        "insert into tb_session_override (exchange, session_date, state, evidence, run_id, observed_at) "
        "values (%s, %s, 'suspected', %s, %s, %s) on conflict do nothing",
        [exchange, day, Jsonb(evidence), context.run_id, context.as_of],
    )


def decide(
    connection: Connection, exchange: str, day: date, state: SessionState, *, by: str, note: str, now: datetime
) -> None:
    """Say that ``day`` was ``closed`` or ``open``, whatever was thought of it before; the evidence stays."""
    connection.execute(
        "insert into tb_session_override "
        "(exchange, session_date, state, run_id, observed_at, decided_at, decided_by, note) "
        "values (%(exchange)s, %(day)s, %(state)s, 0, %(now)s, %(now)s, %(by)s, %(note)s) "
        "on conflict (exchange, session_date) do update set state = excluded.state, "
        "decided_at = excluded.decided_at, decided_by = excluded.decided_by, note = excluded.note",
        {"exchange": exchange, "day": day, "state": state, "now": now, "by": by, "note": note},
    )
