"""The command line: run jobs, keep the schema and the universe, look at what there is.

Reports go to stdout, logs to stderr. Exit codes are those of ``errors.py``, and 0.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from include.insight_invest import clock, console
from include.insight_invest.errors import ConfigurationError, InsightError, Terminated, UsageError
from include.insight_invest.jobs import JOBS, Job
from include.insight_invest.log import configure, redact
from include.insight_invest.report import Report, Status
from include.insight_invest.runner import RunOptions, run
from include.insight_invest.settings import Settings, load_settings
from include.insight_invest.store import migrate, quarantine, read
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.universe import import_file, sync

JobName = StrEnum("JobName", {name: name for name in (*JOBS, "all")})  # type: ignore[misc]
Market = StrEnum("Market", {"US": "US", "KR": "KR"})


class Decision(StrEnum):
    """What was decided about a row that was held back."""

    HELD = "held"
    RELEASED = "released"
    REJECTED = "rejected"


app = typer.Typer(add_completion=False, no_args_is_help=False, pretty_exceptions_enable=False, help=__doc__)
db = typer.Typer(help="The schema.", no_args_is_help=True)
universe = typer.Typer(help="Which tickers there are.", no_args_is_help=True)
held = typer.Typer(help="Rows that were held back.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(universe, name="universe")
app.add_typer(held, name="quarantine")


def main() -> NoReturn:
    """Run the command line and end the process with the exit code."""
    try:
        app(prog_name="run_scheduled_job.py")
    except SystemExit as end:
        if end.code == Terminated.exit_code:
            # A thread that still waits for a source would hold the process up until SIGKILL; the ledger is closed.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(Terminated.exit_code)
        raise
    sys.exit(0)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    job: Annotated[JobName | None, typer.Option(help="The job to run; all runs every job.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Fetch, check, print the difference, write nothing.")
    ] = False,
    as_of: Annotated[str | None, typer.Option(help="ISO 8601 instant at which to look at the world.")] = None,
    tickers: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    start: Annotated[str | None, typer.Option(help="First date wanted (YYYY-MM-DD).")] = None,
    end: Annotated[str | None, typer.Option(help="Last date wanted (YYYY-MM-DD).")] = None,
    shard: Annotated[str, typer.Option(help="I/N: the I-th of N parts of the universe.")] = "1/1",
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Ask for the whole history again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one report object as the last line.")] = False,
) -> None:
    """Run a job, or one of the commands below."""
    if context.invoked_subcommand is not None:
        return
    if job is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)
    with _errors(as_json=as_json):
        settings = _settings()
        chosen = list(JOBS.values()) if job == "all" else [JOBS[job]]
        settings.require(sorted({name for one in chosen for name in one.needs}))
        options = RunOptions(
            as_of=_instant(as_of) if as_of else None,
            dry_run=dry_run,
            tickers=tuple(ticker.strip() for ticker in tickers.split(",") if ticker.strip()),
            start=_day(start, "--start") if start else None,
            end=_day(end, "--end") if end else None,
            shard=_shard(shard),
            full_refresh=full_refresh,
        )
        reports: list[Report] = []
        for one in chosen:
            reports.append(_run_one(one, options, settings))
            if reports[-1].status is Status.TERMINATED:
                break
    codes = {report.exit_code for report in reports if report.exit_code}
    code = 143 if 143 in codes else codes.pop() if len(codes) == 1 else int(bool(codes))
    console.show_reports(reports)
    if as_json:
        _print_json(reports, job, code)
    raise typer.Exit(code)


def _run_one(job: Job, options: RunOptions, settings: Settings) -> Report:
    """One job's report; a job that cannot even start has one too, so that it does not stop the others."""
    started = clock.now()
    try:
        with console.progress(job.title) as progress:
            return run(job, options, settings, progress=progress, on_change=_echo if options.dry_run else None)
    except Terminated:
        raise
    except InsightError as error:
        console.error(str(error))
        return Report(
            job=job.name,
            status=Status.REFUSED,
            exit_code=error.exit_code,
            dry_run=options.dry_run,
            as_of=options.as_of or started,
            seconds=round((clock.now() - started).total_seconds(), 2),
            error=redact(str(error)),
        )


def _print_json(reports: list[Report], job: str, code: int) -> None:
    if len(reports) == 1 and job != "all":
        typer.echo(reports[0].model_dump_json())
        return
    dumped = [report.model_dump(mode="json") for report in reports]
    typer.echo(json.dumps({"job": "all", "exit_code": code, "reports": dumped}, ensure_ascii=False))


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this version's schema: from empty, from v2, or from an earlier version."""
    with _errors():
        url = _settings().database()
        migrate.upgrade(url)
        with connect(url) as connection:
            added = import_file.seed_series(connection)
        typer.echo(f"schema {migrate.HEAD}; {added} macro series added from the starter list")


@db.command("downgrade")
def db_downgrade(revision: Annotated[str, typer.Argument(help="A revision, or base for the v2 tables.")]) -> None:
    """Go back to an earlier schema; what later versions stored is set aside, not dropped."""
    with _errors():
        migrate.downgrade(_settings().database(), revision)
        typer.echo(f"schema {revision}; the tables of later versions are in the schema insight_archive")


@universe.command("import")
def universe_import(
    file: Annotated[Path | None, typer.Argument(help="CSV with ticker, name, security_type, iso_code.")] = None,
) -> None:
    """Add the tickers of FILE (the starter universe where none is given), and update known ones."""
    with _errors(), _database() as connection:
        new, changed = import_file.import_universe(connection, file)
        typer.echo(f"{new} tickers added, {changed} updated")


@universe.command("sync")
def universe_sync(
    market: Annotated[list[Market] | None, typer.Option(help="US or KR; both where none is given.")] = None,
) -> None:
    """Take over the exchanges' own listings. Nobody is delisted because a listing lacks him once."""
    with _errors(), _database() as connection:
        settings = _settings()
        for iso_code in market or list(Market):
            result = sync.sync_listing(connection, settings, str(iso_code))
            typer.echo(f"{iso_code}: {result.listed} listed, {result.new} added, {result.changed} updated")


@app.command()
def status() -> None:
    """Each job's last run, and how fresh and how full the store is."""
    with _errors(), _database() as connection:
        console.show_status(read.last_runs(connection), read.holdings(connection), read.held_rows(connection))


@app.command()
def doctor() -> None:
    """Check what a run needs: environment, database, schema, universe, calendars."""
    from include.insight_invest.doctor import examine

    with _errors():
        findings = examine(_settings(), clock.now())
        console.show_findings(findings)
        if not all(finding.ok for finding in findings):
            raise typer.Exit(1)


@held.command("list")
def held_list(status: Annotated[Decision, typer.Option(help="What was decided.")] = Decision.HELD) -> None:
    """Show the rows."""
    with _errors(), _database() as connection:
        console.show_held(quarantine.rows(connection, status))


@held.command("release")
def held_release(
    quarantine_id: int,
    note: Annotated[str, typer.Option(help="Why.")],
    by: Annotated[str, typer.Option(help="Who.", envvar="USER")] = "operator",
) -> None:
    """Store a held row after all."""
    with _errors(), _database() as connection:
        counts = quarantine.release(connection, quarantine_id, by=by, note=note, now=clock.now())
        typer.echo(f"row {quarantine_id} released: {counts.new} new, {counts.changed} changed")


@held.command("reject")
def held_reject(
    quarantine_id: int,
    note: Annotated[str, typer.Option(help="Why.")],
    by: Annotated[str, typer.Option(help="Who.", envvar="USER")] = "operator",
) -> None:
    """Decide that a held row stays out."""
    with _errors(), _database() as connection:
        quarantine.reject(connection, quarantine_id, by=by, note=note, now=clock.now())
        typer.echo(f"row {quarantine_id} rejected")


@contextmanager
def _errors(*, as_json: bool = False) -> Iterator[None]:
    """End with the error's own exit code, its message on stderr, and for ``--json`` an object that says the same."""
    try:
        yield
    except InsightError as error:
        console.error(str(error))
        if as_json:
            typer.echo(json.dumps({"status": "refused", "exit_code": error.exit_code, "error": redact(str(error))}))
        raise typer.Exit(error.exit_code) from None


@contextmanager
def _database() -> Iterator[Connection]:
    with connect(_settings().database(), application="insight-invest cli") as connection:
        migrate.require_current(connection)
        yield connection


def _settings() -> Settings:
    try:
        settings = load_settings()
    except ConfigurationError:
        configure(Settings.model_construct())  # to say so
        raise
    configure(settings)
    return settings


def _echo(change: object) -> None:
    typer.echo(str(change))


def _instant(text: str) -> datetime:
    return _parsed(datetime.fromisoformat, text, "--as-of", "an ISO 8601 instant such as 2026-11-20T09:00+09:00")


def _day(text: str, option: str) -> date:
    return _parsed(date.fromisoformat, text, option, "a date such as 2026-11-20")


def _parsed[T](parse: Callable[[str], T], text: str, option: str, wanted: str) -> T:
    try:
        return parse(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not {wanted}") from None


def _shard(text: str) -> tuple[int, int]:
    if not (match := re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)):
        raise UsageError(f"--shard {text!r} is not I/N, such as 2/8")
    return int(match[1]), int(match[2])
