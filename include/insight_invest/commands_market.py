"""The commands about the market itself: its sessions, what is stored of them, and what its tickers are called.

Reports go to stdout, logs to stderr. Exit codes are those of ``errors.py``, and 0.
"""

import csv
import io
import json
from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from include.insight_invest import clock, console, console_market, sessions
from include.insight_invest.audit import broken, cover
from include.insight_invest.commands import By, Market, Note, errors_end, open_database, universe
from include.insight_invest.errors import CoverageBroken, UsageError
from include.insight_invest.jobs import JOBS, Kind, price_job
from include.insight_invest.sources.symbols import require_symbol
from include.insight_invest.store import disagreements, overrides, recent, symbols
from include.insight_invest.store.coverage import TickerCoverage
from include.insight_invest.store.lease import lease
from include.insight_invest.store.overrides import SessionState
from include.insight_invest.store.universe import targets
from include.insight_invest.wording import count

calendar = typer.Typer(help="Sessions that were perhaps none.", no_args_is_help=True)


@calendar.command("list")
def sessions_list() -> None:
    """Suspected closures, and what was decided."""
    with errors_end(), open_database() as connection:
        console_market.show_sessions(overrides.overrides(connection))


@calendar.command("close")
def sessions_close(exchange: str, day: str, note: Note, by: By = "operator") -> None:
    """Confirm that EXCHANGE (XNYS, XKRX) did not trade on DAY: nothing is expected of it, or stored for it."""
    with errors_end(), open_database() as connection, connection.transaction():
        exchange, session = _session(exchange, day)
        iso_code = next(job.iso_code for job in JOBS.values() if job.exchange == exchange and job.kind is Kind.PRICES)
        meta_ids = [target.meta_id for target in targets(connection, iso_code, session=sessions.FIRST_DAY)]
        bars = recent.bars_per_day(connection, meta_ids, [session]).get(session)
        if bars and bars.traded and bars.stored:
            raise UsageError(f"{count(bars.stored, 'bar')} of {session} stored: {exchange} traded")
        if bars and bars.traded:
            raise UsageError(
                f"{count(bars.held, 'row')} of {session} held back: {exchange} traded, by what it says. `quarantine "
                "list`, and reject what is wrong"
            )
        overrides.decide(connection, exchange, session, SessionState.CLOSED, by=by, note=note, now=clock.now())
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow([exchange, session, "closed", "", "", note])
        typer.echo(
            f"{exchange} {'was' if _is_past(exchange, session) else 'will be'} closed on {session}. For every other "
            f"installation, in include/insight_invest/sessions/overrides.csv:\n{line.getvalue()}"
        )


@calendar.command("open")
def sessions_open(exchange: str, day: str, note: Note, by: By = "operator") -> None:
    """Refuse a suspicion: EXCHANGE traded on DAY, and its bars are asked for again."""
    with errors_end(), open_database() as connection, connection.transaction():
        exchange, session = _session(exchange, day)
        if session not in overrides.silent_sessions(connection, exchange):
            raise UsageError(f"nobody says that {exchange} was closed on {session}: `sessions list`")
        overrides.decide(connection, exchange, session, SessionState.OPEN, by=by, note=note, now=clock.now())
        if _is_past(exchange, session):
            typer.echo(f"{exchange} was open on {session}: the next run asks for it")
        else:
            typer.echo(f"{exchange} will be open on {session}")


def show_coverage(
    market: Annotated[list[Market] | None, typer.Option(help="US or KR; both where none is given.")] = None,
    ticker: Annotated[list[str] | None, typer.Option(help="Only this one; may be given more than once.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object.")] = False,
) -> None:
    """What is stored of what the markets had: bars, what explains their absence, and what is asked for again."""
    chosen = {str(one) for one in market or list(Market)}
    with errors_end(as_json=as_json), open_database() as connection:
        if ticker:
            chosen = symbols.require_known(connection, sorted(chosen), ticker)
        jobs = [job for job in JOBS.values() if job.kind is Kind.PRICES and job.iso_code in chosen]
        covered = [cover(connection, job, ticker or ()) for job in jobs]
    errors = [str(error) for error in map(broken, covered) if error]
    if as_json:
        rows = [{**asdict(one), "rows": [_row(row) for row in one.rows] if ticker else []} for one in covered]
        typer.echo(json.dumps({"coverage": rows, "exit_code": int(bool(errors)), "errors": errors}, default=str))
    else:
        console_market.show_coverage(covered)
    for error in errors:
        console.error(error)
    if errors:
        raise typer.Exit(CoverageBroken.exit_code)


def _row(row: TickerCoverage) -> dict[str, object]:
    return {**asdict(row), "unexplained": row.unexplained}


def show_disagreements() -> None:
    """Where two sources differ by more than the tolerance, as the daily sample found it."""
    with errors_end(), open_database() as connection:
        console_market.show_disagreements(disagreements.open_ones(connection))


@universe.command("rename")
def universe_rename(
    old: str,
    new: str,
    market: Annotated[Market, typer.Option(help="US or KR.")],
    on: Annotated[str, typer.Option(help="The first day of the new symbol (YYYY-MM-DD).")],
    note: Note,
) -> None:
    """Say that OLD is called NEW since a day: one share, one history. The same turned round takes it back."""
    iso_code = str(market)
    job = price_job(iso_code)
    # A run at work has read who is called what.
    with errors_end(), open_database() as connection, lease(connection, job.name, (1, 1)), connection.transaction():
        day = _day(on)
        require_symbol(new, iso_code)
        _require_past(day, job.exchange)
        if symbols.undo(connection, iso_code, old, new, on=day):
            typer.echo(f"{old} is called {new} again: that it had another name since {day} is taken back")
            return
        symbols.rename(connection, iso_code, old, new, on=day, evidence=note)
        typer.echo(f"{old} is called {new} since {day}")


def _require_past(day: date, exchange: str) -> None:
    """A symbol of tomorrow is asked for today, and is nobody's yet."""
    if not _is_past(exchange, day):
        raise UsageError(f"--on {day} has not come yet at {exchange}: rename on that day")


def _session(exchange: str, text: str) -> tuple[str, date]:
    """The exchange and the session that are meant. Raises UsageError where there is no such session."""
    name, day = exchange.upper(), _day(text)
    if name not in sessions.ZONES:
        raise UsageError(f"{exchange!r} is no exchange here: {' or '.join(sessions.ZONES)}")
    if not sessions.is_session(name, day):
        raise UsageError(
            f"{name} has no session on {day}: it is closed already. Where that is wrong, add the session to "
            "include/insight_invest/sessions/overrides.csv"
        )
    return name, day


def _is_past(exchange: str, day: date) -> bool:
    return day <= sessions.local_date(exchange, clock.now())


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date such as 2026-11-20") from None
