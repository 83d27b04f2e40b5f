"""Checks of what a run needs, each with what to do where it is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.insight_invest import sessions
from include.insight_invest.errors import InsightError, UniverseError
from include.insight_invest.jobs import JOBS
from include.insight_invest.settings import Settings
from include.insight_invest.store import coverage, migrate, overrides, read, roles
from include.insight_invest.store.database import connect, where
from include.insight_invest.wording import count

_CALENDAR_RESERVE = timedelta(days=60)


@dataclass(frozen=True)
class Finding:
    """One check."""

    what: str
    ok: bool
    text: str


def examine(settings: Settings, now: datetime) -> list[Finding]:
    """Run every check; one that cannot run is a problem, not a crash."""
    checks: list[tuple[str, Callable[[], str]]] = [
        *((f"environment of {job.name}", lambda job=job: _environment(settings, job.needs)) for job in JOBS.values()),
        ("database", lambda: _database(settings)),
        ("schema", lambda: _schema(settings)),
        ("role", lambda: _role(settings)),
        ("universe", lambda: _universe(settings)),
        ("macro series", lambda: _series(settings)),
        ("calendars", lambda: _calendars(now)),
        ("completeness", lambda: _completeness(settings)),
    ]
    return [_finding(what, check) for what, check in checks]


def _finding(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, check())
    except InsightError as error:
        return Finding(what, False, str(error))


def _environment(settings: Settings, needs: tuple[str, ...]) -> str:
    settings.require(needs)
    return f"{', '.join(needs)} set"


def _database(settings: Settings) -> str:
    url = settings.database()
    with connect(url) as connection:
        return f"PostgreSQL {connection.info.server_version // 10000} at {where(url)}"


def _schema(settings: Settings) -> str:
    with connect(settings.database()) as connection:
        migrate.require_current(connection)
    return migrate.HEAD


def _role(settings: Settings) -> str:
    """Not a problem in itself: on a laptop the owner does everything."""
    with connect(settings.database()) as connection:
        migrate.require_current(connection)
        role, tables = connection.info.user, roles.could_destroy(connection)
    if tables is None:
        return f"{role} can neither drop nor truncate what is stored"
    return (
        f"{role} could drop or truncate {tables}. A job needs no more than a login in {roles.UPDATER}, the API one in "
        f"{roles.READER}: `db roles` makes them (README, Roles)"
    )


def _universe(settings: Settings) -> str:
    with connect(settings.database()) as connection:
        migrate.require_current(connection)
        found = read.holdings(connection)
    if not any(item.name == "US" for item in found):
        raise UniverseError("no US ticker: `universe import` or `universe sync`")
    told = ", ".join(f"{item.name} {item.items} ({item.items_with_data} with data)" for item in found)
    return told if any(item.name == "KR" for item in found) else f"{told}; no KR ticker yet: --job kr-price adds them"


def _series(settings: Settings) -> str:
    with connect(settings.database()) as connection:
        migrate.require_current(connection)
        found = read.ended_series(connection)
    return ", ".join(f"{item.fred} {item.status} since {item.since:%Y-%m-%d}" for item in found) or "all live"


def _completeness(settings: Settings) -> str:
    """Not a problem in itself: open gaps are asked for again, and who decides about a closure may take a day."""
    with connect(settings.database()) as connection:
        migrate.require_current(connection)
        gaps = coverage.count_open(connection)
        suspected = overrides.suspected(connection)
    told = f"{count(gaps[0], 'session')} of {count(gaps[1], 'ticker')} missing and asked for again"
    if suspected:
        days = ", ".join(f"{found.exchange} {found.session_date}" for found in suspected)
        told += f"; perhaps closed, to be decided (`sessions list`): {days}"
    return told


def _calendars(now: datetime) -> str:
    ends = sessions.LAST_DAY
    if now.date() + _CALENDAR_RESERVE > ends:
        raise InsightError(f"the session tables end on {ends}: python -m include.insight_invest.sessions.generate")
    return f"sessions are known until {ends}"
