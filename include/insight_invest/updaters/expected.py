"""The sessions of which a bar is expected: those of the tables, without what is known of closures since."""

from datetime import date

from include.insight_invest import sessions
from include.insight_invest.store import overrides
from include.insight_invest.store.database import Connection
from include.insight_invest.updaters.progress import Run


def expected_sessions(connection: Connection, exchange: str, until: date) -> list[date]:
    """The exchange's sessions up to ``until``, without suspected and confirmed closures."""
    silent = overrides.silent_sessions(connection, exchange)
    return [day for day in sessions.sessions(exchange, sessions.FIRST_DAY, until) if day not in silent]


def last_sessions(run: Run, count: int) -> list[date]:
    """The last ``count`` sessions of the tables up to the run's own; fewer where the tables begin."""
    exchange = run.job.exchange
    return sessions.sessions(exchange, sessions.back_or_first(exchange, run.session, count - 1), run.session)
