"""The commands beside running a job: schema, universe, quarantine, status, doctor.

Reports go to stdout, logs to stderr. Exit codes are those of ``errors.py``, and 0.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from include.insight_invest import clock, console, console_market
from include.insight_invest.doctor import examine
from include.insight_invest.errors import ConfigurationError, InsightError, LeaseHeld, SourceError
from include.insight_invest.log import configure, redact
from include.insight_invest.settings import Settings, load_settings
from include.insight_invest.store import coverage, disagreements, migrate, overrides, quarantine, read, roles
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.universe import import_file, sync
from include.insight_invest.wording import count

_SHOWN_HELD = 1000

Market = StrEnum("Market", {"US": "US", "KR": "KR"})


def _filled(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("may not be empty: who decides later wants to know why")
    return text


By = Annotated[str, typer.Option(help="Who.", envvar="USER")]
Note = Annotated[str, typer.Option(help="Why.", callback=_filled)]


class Decision(StrEnum):
    """What was decided about a row that was held back."""

    HELD = "held"
    RELEASED = "released"
    REJECTED = "rejected"
    REPAIRED = "repaired"  # by a check: stored without its impossible fields


db = typer.Typer(help="The schema.", no_args_is_help=True)
universe = typer.Typer(help="Which tickers there are.", no_args_is_help=True)
held = typer.Typer(help="Rows that were held back.", no_args_is_help=True)


@contextmanager
def errors_end(*, as_json: bool = False) -> Iterator[None]:
    """End with the error's own exit code, its message on stderr, and for ``--json`` an object that says the same."""
    try:
        yield
    except InsightError as error:
        console.error(str(error))
        if as_json:
            typer.echo(json.dumps({"status": "refused", "exit_code": error.exit_code, "error": redact(str(error))}))
        raise typer.Exit(error.exit_code) from None


@contextmanager
def open_database() -> Iterator[Connection]:
    """A connection to the environment's database, at this version's schema."""
    with connect(settings_and_log().database(), application="insight-invest cli") as connection:
        migrate.require_current(connection)
        yield connection


def settings_and_log() -> Settings:
    """The environment's settings, with logging as they say. Raises ConfigurationError."""
    try:
        settings = load_settings()
    except ConfigurationError:
        configure(Settings.model_construct())  # to say so
        raise
    configure(settings)
    return settings


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this version's schema: from empty, from v2, or from an earlier version."""
    with errors_end():
        url = settings_and_log().database()
        migrate.upgrade(url)
        with connect(url) as connection:
            added = import_file.seed_series(connection)
            renewed = roles.renew(connection)
        granted = "; what insight_updater and insight_reader may do was renewed" if renewed else ""
        typer.echo(f"schema {migrate.HEAD}; {added} macro series added from the starter list{granted}")


@db.command("downgrade")
def db_downgrade(revision: Annotated[str, typer.Argument(help="A revision, or base for the v2 tables.")]) -> None:
    """Go back to an earlier schema; what later versions stored is set aside, not dropped."""
    with errors_end():
        migrate.downgrade(settings_and_log().database(), revision)
        typer.echo(f"schema {revision}; the tables of later versions are in the schema insight_archive")


@db.command("roles")
def db_roles() -> None:
    """Make the groups insight_updater and insight_reader, and grant each what it needs, and no more."""
    with errors_end(), open_database() as connection:
        roles.grant(connection)
        typer.echo(
            "insight_updater (jobs and commands) and insight_reader (API) may do what each needs; a login of one: "
            "create role NAME login password '...' in role insight_updater"
        )


@universe.command("import")
def universe_import(
    file: Annotated[Path | None, typer.Argument(help="CSV with ticker, name, security_type, iso_code.")] = None,
    reused: Annotated[
        list[str] | None, typer.Option(help="An earlier symbol of another share that is to be added; may be repeated.")
    ] = None,
) -> None:
    """Add the tickers of FILE (the starter universe where none is given), and update known ones."""
    with errors_end(), open_database() as connection:
        new, changed = import_file.import_universe(connection, file, reused=reused or (), tell=typer.echo)
        typer.echo(f"{count(new, 'ticker')} added, {changed} updated")


@universe.command("sync")
def universe_sync(
    market: Annotated[list[Market] | None, typer.Option(help="US or KR; both where none is given.")] = None,
) -> None:
    """Take over the exchanges' own listings. Only five sessions' listings in a row without it delist a ticker."""
    with errors_end(), open_database() as connection:
        settings = settings_and_log()
        failed: list[InsightError] = []
        for iso_code in market or list(Market):
            try:
                result = sync.sync_listing(connection, settings, str(iso_code), clock.now())
            except (SourceError, LeaseHeld) as error:  # one market does not stop the other
                console.error(f"{iso_code}: {error}. Nothing of {iso_code} was changed")
                failed.append(error)
                continue
            typer.echo(f"{iso_code}: {result.listed} listed, {result.new} added, {result.changed} updated")
            for note in result.notes:
                typer.echo(f"{iso_code}: {note}")
        if failed:
            raise typer.Exit(failed[0].exit_code)


def status() -> None:
    """Each job's last run, and how fresh and how full the store is."""
    with errors_end(), open_database() as connection:
        console.show_status(read.last_runs(connection), read.holdings(connection))
        console_market.show_waiting(
            held=read.held_rows(connection),
            disagreements=disagreements.count_open(connection),
            gaps=coverage.count_open(connection),
            suspected=overrides.suspected(connection),
        )
        console.show_ended(read.ended_series(connection))


def doctor() -> None:
    """Check what a run needs: environment, database, schema, universe, calendars."""
    with errors_end():
        findings = examine(settings_and_log(), clock.now())
        console.show_findings(findings)
        if not all(finding.ok for finding in findings):
            raise typer.Exit(1)


@held.command("list")
def held_list(status: Annotated[Decision, typer.Option(help="What was decided.")] = Decision.HELD) -> None:
    """Show the rows."""
    with errors_end(), open_database() as connection:
        console_market.show_held(quarantine.rows(connection, status, _SHOWN_HELD + 1), status, _SHOWN_HELD)


@held.command("release")
def held_release(
    quarantine_id: int,
    note: Note,
    by: By = "operator",
    proposed: Annotated[bool, typer.Option("--proposed", help="Store what the check proposes instead.")] = False,
) -> None:
    """Store a held row after all, as it came or as the check proposes."""
    with errors_end(), open_database() as connection:
        counts = quarantine.release(connection, quarantine_id, by=by, note=note, now=clock.now(), proposed=proposed)
        stored, changed = counts.new + counts.actions_new, counts.changed + counts.actions_changed
        typer.echo(f"row {quarantine_id} released: {stored} new, {changed} changed")


@held.command("reject")
def held_reject(
    quarantine_id: int,
    note: Note,
    by: By = "operator",
) -> None:
    """Decide that a held row stays out."""
    with errors_end(), open_database() as connection:
        quarantine.reject(connection, quarantine_id, by=by, note=note, now=clock.now())
        typer.echo(f"row {quarantine_id} rejected")
