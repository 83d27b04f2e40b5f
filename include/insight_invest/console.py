"""What the command line shows a person: tables on stdout, progress and errors on stderr."""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table

from include.insight_invest.audit import JobCoverage
from include.insight_invest.doctor import Finding
from include.insight_invest.log import redact
from include.insight_invest.report import Report
from include.insight_invest.store.disagreements import Disagreement
from include.insight_invest.store.overrides import Override
from include.insight_invest.store.quarantine import Held
from include.insight_invest.store.read import Ended, Holdings, LedgerRow
from include.insight_invest.updaters.progress import Progress as Tell
from include.insight_invest.updaters.progress import log_progress

log = logging.getLogger(__name__)

# A file or a pipe has no width of its own; a table cut to 80 columns loses its figures.
_out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 150)
_SHOWN_PROBLEMS = 5
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
    return _out.width < _WIDE


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
    _out.print(reports_table(reports))
    for report in reports:
        if report.dry_run and report.exit_code == 0:
            _out.print(f"{report.job}: dry run, nothing was written")
        if report.error:
            _out.print(f"{report.job}: {report.error}", style="red", markup=False)
        for note in report.notes:
            _out.print(f"{report.job}: {note}", markup=False)
        for problem in report.problems[:_SHOWN_PROBLEMS]:
            _out.print(f"{report.job}: {problem.ticker} {problem.state}: {problem.reason}", markup=False)
        if (more := sum(report.tickers.get(p, 0) for p in {q.state for q in report.problems}) - _SHOWN_PROBLEMS) > 0:
            _out.print(f"{report.job}: and {more} more; all are in tb_job_run.tickers of run {report.run_id}")


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


def show_status(runs: Mapping[str, LedgerRow], holdings: Sequence[Holdings], held: int, disagreements: int = 0) -> None:
    """The last run of each job, and what the store holds."""
    _out.print(runs_table(list(runs.values()), "Last run of each job"))
    for run in runs.values():
        if run.error:
            _out.print(f"{run.job}: {run.error}", style="red", markup=False)
    stored = Table(title="What is stored", title_justify="left")
    for name in ("market", "tickers or series", "with data", "newest"):
        stored.add_column(name, justify="left" if name == "market" else "right")
    for item in holdings:
        stored.add_row(item.name, f"{item.items:,}", f"{item.items_with_data:,}", str(item.newest or "-"))
    _out.print(stored)
    if held:
        _out.print(f"{held} rows are held back: `quarantine list` shows them")
    if disagreements:
        _out.print(f"{disagreements} values differ between two sources: `disagreements` shows them")
    if not runs:
        _out.print("No job has run yet: run_scheduled_job.py --job all")


def show_ended(series: Sequence[Ended]) -> None:
    """The macro series that no longer bring anything; nothing where all are live."""
    for item in series:
        _out.print(f"{item.fred} is {item.status} since {item.since:%Y-%m-%d}", markup=False)


def show_findings(findings: Sequence[Finding]) -> None:
    """One line a check."""
    for finding in findings:
        mark = "[green]ok[/green]     " if finding.ok else "[red]problem[/red]"
        _out.print(f"{mark}  {finding.what}: ", end="")
        _out.print(redact(finding.text), markup=False)


def show_held(rows: Sequence[Held]) -> None:
    """The rows of the quarantine: what came, what is proposed instead, what was decided. Lines: a table would wrap."""
    if not rows:
        _out.print("nothing is held back")
    for row in rows:
        number, what = f"{row.quarantine_id:>6}", f"{row.ticker} {row.trade_date} {row.kind} of {row.source}"
        _out.print(f"{number}  {what}: {row.reason}", markup=False)
        proposal = f"proposed: {_values(row.proposal)}" if row.proposal else ""
        for line in filter(None, (_values(row.payload), proposal, _decided(row))):
            _out.print(f"        {line}", markup=False)


def _values(values: Mapping[str, object]) -> str:
    shown = {name: value for name, value in values.items() if value is not None and name != "basis_date"}
    return " ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in shown.items()
    )


def _decided(row: Held) -> str:
    if row.decided_at is None:
        return ""
    return f"{row.status} by {row.decided_by} {row.decided_at:%Y-%m-%d %H:%M}" + (f": {row.note}" if row.note else "")


def show_sessions(rows: Sequence[Override]) -> None:
    """What is known of sessions beside the tables."""
    if not rows:
        _out.print("no session is suspected")
        return
    table = Table("exchange", "session", "state", "evidence or decision")
    for row in rows:
        evidence = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row.evidence.items())
        decided = f"{row.decided_by} {row.decided_at:%Y-%m-%d}: {row.note}" if row.decided_at else evidence
        table.add_row(row.exchange, str(row.session_date), row.state, escape(decided))
    _out.print(table)


def show_disagreements(rows: Sequence[Disagreement]) -> None:
    """What two sources say of the same value, in the shares of that session, and what is stored now."""
    if not rows:
        _out.print("no two sources disagree")
        return
    table = Table("ticker", "session", "field", "found (UTC)")
    for name in ("one source says", "the other says", "stored now"):
        table.add_column(name, justify="right")
    for row in rows:
        said = (f"{row.value:,.10g} ({row.source})", f"{row.other_value:,.10g} ({row.other_source})")
        stored = "-" if row.stored is None else f"{row.stored:,.10g}"
        table.add_row(row.ticker, str(row.trade_date), row.field, f"{row.found_at:%Y-%m-%d %H:%M}", *said, stored)
    _out.print(table)


def show_coverage(covered: Sequence[JobCoverage]) -> None:
    """One row per job, and below it the tickers that lack most."""
    columns = ("sessions", "bars", "without trade", "held", "source gaps", "open", "unexplained")
    table = Table(*(Column(name, justify="left" if name in ("job", "up to") else "right") for name in
                    ("job", "up to", "tickers", *columns)))  # fmt: skip
    for one in covered:
        counts = (one.tickers, one.sessions, one.bars, one.without_trade, one.held, one.source_gaps, one.open_gaps)
        numbers = [f"{count:,}" for count in (*counts, one.unrecorded)]
        table.add_row(one.job, str(one.until or "-"), *numbers)
    _out.print(table)
    for one in covered:
        worst = sorted((row for row in one.rows if row.sessions > row.bars), key=lambda row: row.bars - row.sessions)
        for row in worst[:_SHOWN_PROBLEMS]:
            _out.print(
                f"{one.job}: {row.ticker} {row.first_day} to {row.last_day}: {row.bars:,} of {row.sessions:,}; "
                f"{row.held} held, {row.source_gaps} source gaps, {row.open_gaps} open, {row.unrecorded} unexplained",
                markup=False,
            )
        if one.closures:
            _out.print(f"{one.job}: {one.closures} sessions are suspected or confirmed closures: `sessions list`")


def _colour(text: str, *, good: bool) -> str:
    return f"[{'green' if good else 'red'}]{text}[/]"
