"""The command line: run jobs. The commands beside that are in ``commands.py``.

Reports go to stdout, logs to stderr. Exit codes are those of ``errors.py``, and 0.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, NoReturn

import typer

from include.insight_invest import clock, commands, commands_market, console
from include.insight_invest.commands import errors_end, settings_and_log
from include.insight_invest.errors import ConfigurationError, InsightError, Terminated, UsageError
from include.insight_invest.jobs import JOBS, Job
from include.insight_invest.log import redact
from include.insight_invest.report import Report, Status
from include.insight_invest.runner import RunOptions, run
from include.insight_invest.settings import Settings
from include.insight_invest.stopping import sigterm_raises

JobName = StrEnum("JobName", {name: name for name in (*JOBS, "all")})  # type: ignore[misc]
app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    help="Run jobs, keep the schema and the universe, look at what there is.",
)
app.add_typer(commands.db, name="db")
app.add_typer(commands.universe, name="universe")
app.add_typer(commands.held, name="quarantine")
app.add_typer(commands_market.calendar, name="sessions")
app.command()(commands.status)
app.command()(commands.doctor)
app.command("coverage")(commands_market.show_coverage)
app.command("disagreements")(commands_market.show_disagreements)


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
    as_of: Annotated[
        str | None, typer.Option(help="Instant with time zone (2026-11-20T09:00+09:00) at which to look.")
    ] = None,
    tickers: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    start: Annotated[str | None, typer.Option(help="First date wanted (YYYY-MM-DD).")] = None,
    end: Annotated[str | None, typer.Option(help="Last date wanted (YYYY-MM-DD).")] = None,
    shard: Annotated[str, typer.Option(help="I/N: the I-th of N parts of the universe.")] = "1/1",
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Ask for the whole history again.")] = False,
    wait: Annotated[
        int, typer.Option(min=0, help="Seconds to wait for another run of the job to end; 75 after that.")
    ] = 0,
    trigger: Annotated[str, typer.Option(help="Who asks for this run, for the ledger.")] = "cli",
    as_json: Annotated[bool, typer.Option("--json", help="Print one report object as the last line.")] = False,
) -> None:
    """Run a job, or one of the commands below."""
    if context.invoked_subcommand is not None:
        return
    if job is None:
        sources = (context.get_parameter_source(name) for name in context.params)
        if any(source is not None and source.name == "COMMANDLINE" for source in sources):
            raise typer.BadParameter(f"which job? --job {', '.join(JobName)}")
        typer.echo(context.get_help())
        raise typer.Exit(2)
    with errors_end(as_json=as_json), sigterm_raises():
        settings = settings_and_log()
        chosen = list(JOBS.values()) if job == "all" else [JOBS[job]]
        _require_common(settings, chosen)
        options = RunOptions(
            as_of=_instant(as_of) if as_of else None,
            dry_run=dry_run,
            tickers=tuple(ticker.strip() for ticker in tickers.split(",") if ticker.strip()),
            start=_day(start, "--start") if start else None,
            end=_day(end, "--end") if end else None,
            shard=_shard(shard),
            full_refresh=full_refresh,
            wait=wait,
            trigger=trigger,
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


def _require_common(settings: Settings, chosen: Sequence[Job]) -> None:
    """Raise ConfigurationError, naming all that is missing, where not one of ``chosen`` could start."""
    needs = [set(one.needs) for one in chosen]
    try:
        settings.require(sorted(set.intersection(*needs)))
    except ConfigurationError:
        settings.require(sorted(set.union(*needs)))


def _run_one(job: Job, options: RunOptions, settings: Settings) -> Report:
    """One job's report; a job that cannot even start has one too, so that it does not stop the others."""
    started = clock.now()
    try:
        with console.progress(job.title) as progress:
            return run(job, options, settings, progress=progress, on_change=_echo if options.dry_run else None)
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
