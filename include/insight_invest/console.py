"""What the command line shows a person: tables on stdout, progress and errors on stderr."""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from include.insight_invest.doctor import Finding
from include.insight_invest.log import redact
from include.insight_invest.report import Report
from include.insight_invest.store.read import Ended, Holdings, LedgerRow
from include.insight_invest.updaters.progress import Progress as Tell
from include.insight_invest.updaters.progress import log_progress

log = logging.getLogger(__name__)

# A file or a pipe has no width of its own; a table cut to 80 columns loses its figures.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 150)
SHOWN_PROBLEMS = 5
_WIDE = 138
_FIGURES = ("tickers", "new", "changed", "unchanged", "held back", "requests", "seconds")


def error(message: str) -> None:
    """One line on stderr: a log line like any other, so that LOG_FORMAT=json holds for every line."""
    log.error("%s", message)


@contextmanager
def progress(title: str) -> Iterator[Tell]:
    """A bar on a terminal, log lines elsewhere."""
    if not sys.stderr.isatty():
        yield log_progress(title)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def reports_table(reports: Sequence[Report], title: str | None = None) -> Table:
    """One row per run."""
    table = _table(title, ("source",))
    for report in reports:
        rows = report.rows
        numbers = (
            sum(report.tickers.values()),
            rows.new,
            rows.changed,
            rows.unchanged,
            rows.held_back,
            report.requests,
        )
        table.add_row(
            report.job,
            str(report.session or "-"),
            _colour(report.status, good=report.exit_code == 0),
            *(() if _is_narrow() else (report.source or "-",)),
            *(f"{number:,}" for number in (numbers[:-1] if _is_narrow() else numbers)),
            f"{report.seconds:.1f}",
        )
    return table


def _is_narrow() -> bool:
    return out.width < _WIDE


def _table(title: str | None, wide_only: Sequence[str]) -> Table:
    """A table of runs; on a narrow terminal without ``wide_only`` and without frames, so that the figures stay."""
    if _is_narrow():
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    else:
        table = Table(title=title, title_justify="left")
    for name in ("job", "market date", "status", *(() if _is_narrow() else wide_only)):
        table.add_column(name, no_wrap=True)
    for name in _FIGURES:
        if not (_is_narrow() and name == "requests"):
            short = name.replace(" ", "\n").replace("unchanged", "un-\nchanged")
            table.add_column(short if _is_narrow() else name, justify="right", no_wrap=True)
    return table


def show_reports(reports: Sequence[Report]) -> None:
    """The table, and below it what an operator should know."""
    out.print(reports_table(reports))
    for report in reports:
        if report.dry_run and report.exit_code == 0:
            out.print(f"{report.job}: dry run, nothing was written")
        if report.error:
            out.print(f"{report.job}: {report.error}", style="red", markup=False)
        for note in report.notes:
            out.print(f"{report.job}: {note}", markup=False)
        for problem in report.problems[:SHOWN_PROBLEMS]:
            out.print(f"{report.job}: {problem.ticker} {problem.state}: {problem.reason}", markup=False)
        if (more := sum(report.tickers.get(p, 0) for p in {q.state for q in report.problems}) - SHOWN_PROBLEMS) > 0:
            where = "" if report.run_id is None else f"; all are in tb_job_run.tickers of run {report.run_id}"
            out.print(f"{report.job}: and {more} more{where}")


def runs_table(runs: Sequence[LedgerRow], title: str) -> Table:
    """One row per row of the ledger."""
    table = _table(title, ("run", "started (UTC)"))
    for run in runs:
        numbers = (run.tickers, run.rows_new, run.rows_changed, run.rows_unchanged, run.rows_held, run.requests)
        table.add_row(
            run.job,
            str(run.session_date or "-"),
            _colour(run.status, good=run.status == "succeeded"),
            *(() if _is_narrow() else (str(run.run_id), f"{run.started_at:%Y-%m-%d %H:%M}")),
            *(f"{number:,}" for number in (numbers[:-1] if _is_narrow() else numbers)),
            "-" if run.seconds is None else f"{run.seconds:.1f}",
        )
    return table


def show_status(runs: Mapping[str, LedgerRow], holdings: Sequence[Holdings]) -> None:
    """The last run of each job, and what the store holds."""
    out.print(runs_table(list(runs.values()), "Last run of each job"))
    for run in runs.values():
        if run.error:
            out.print(f"{run.job}: {run.error}", style="red", markup=False)
    stored = Table(title="What is stored", title_justify="left")
    for name in ("market", "tickers or series", "with data", "newest"):
        stored.add_column(name, justify="left" if name == "market" else "right")
    for item in holdings:
        stored.add_row(item.name, f"{item.items:,}", f"{item.items_with_data:,}", str(item.newest or "-"))
    out.print(stored)
    if not runs:
        out.print("No job has run yet: run_scheduled_job.py --job all")


def show_ended(series: Sequence[Ended]) -> None:
    """The macro series that no longer bring anything; nothing where all are live."""
    for item in series:
        out.print(f"{item.fred} is {item.status} since {item.since:%Y-%m-%d}", markup=False)


def show_findings(findings: Sequence[Finding]) -> None:
    """One line a check."""
    for finding in findings:
        mark = "[green]ok[/green]     " if finding.ok else "[red]problem[/red]"
        out.print(f"{mark}  {finding.what}: ", end="")
        out.print(redact(finding.text), markup=False)


def _colour(text: str, *, good: bool) -> str:
    return f"[{'green' if good else 'red'}]{text}[/]"
