"""What the command line shows of the market: what waits for an operator, held rows, sessions, coverage."""

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Column, Table

from include.insight_invest.audit import JobCoverage
from include.insight_invest.console import SHOWN_PROBLEMS, out
from include.insight_invest.store.disagreements import Disagreement
from include.insight_invest.store.overrides import Override
from include.insight_invest.store.quarantine import Held
from include.insight_invest.wording import count

_BAR = ("open", "high", "low", "close", "volume")


def show_waiting(*, held: int, disagreements: int, gaps: tuple[int, int], suspected: Sequence[Override]) -> None:
    """What waits for an operator, or for a later run; ``gaps`` is of how many sessions, and of how many tickers."""
    if held:
        out.print(f"{count(held, 'row')} held back: `quarantine list`")
    if disagreements:
        out.print(f"{count(disagreements, 'value')} with a difference between two sources: `disagreements`")
    if gaps[0]:
        missing = f"{count(gaps[0], 'session')} of {count(gaps[1], 'ticker')} missing"
        out.print(f"{missing} and asked for again: `coverage`")
    for one in suspected:
        out.print(f"{one.exchange} was perhaps closed on {one.session_date}: `sessions list`, and close or open it")


def show_held(rows: Sequence[Held], status: str, limit: int) -> None:
    """The newest ``limit`` of ``rows``: what came, what is proposed instead, what was decided. A table would wrap."""
    if not rows:
        out.print(f"no row is {status}")
    for row in rows[:limit]:
        number, what = f"{row.quarantine_id:>6}", f"{row.ticker} {row.trade_date} {row.kind} of {row.source}"
        out.print(f"{number}  {what}: {row.reason}", markup=False)
        proposal = f"proposed: {_values(row.proposal)}" if row.proposal else ""
        for line in filter(None, (_values(row.payload), proposal, _decided(row))):
            out.print(f"        {line}", markup=False)
    if len(rows) > limit:
        out.print(f"these are the newest {limit:,}; there are more")


def _values(values: Mapping[str, object]) -> str:
    """In the order of a bar; what else there is follows."""
    shown = {name: value for name, value in values.items() if value is not None and name != "basis_date"}
    names = [*(name for name in _BAR if name in shown), *(name for name in shown if name not in _BAR)]
    return " ".join(f"{name}={_value(shown[name])}" for name in names)


def _value(value: object) -> str:
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.10g}"


def _decided(row: Held) -> str:
    if row.decided_at is None:
        return ""
    return f"{row.status} by {row.decided_by} {row.decided_at:%Y-%m-%d %H:%M}" + (f": {row.note}" if row.note else "")


def show_sessions(rows: Sequence[Override]) -> None:
    """What is known of sessions beside the tables."""
    if not rows:
        out.print("no session is suspected")
        return
    table = Table("exchange", "session", "state", "evidence or decision")
    for row in rows:
        evidence = ", ".join(f"{name.replace('_', ' ')} {_listed(value)}" for name, value in row.evidence.items())
        decided = f"{row.decided_by} {row.decided_at:%Y-%m-%d}: {row.note}" if row.decided_at else evidence
        table.add_row(row.exchange, str(row.session_date), row.state, escape(decided))
    out.print(table)


def _listed(value: object) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def show_disagreements(rows: Sequence[Disagreement]) -> None:
    """What two sources say of the same value, in the shares of that session, and what is stored now."""
    if not rows:
        out.print("no two sources disagree")
        return
    table = Table("ticker", "session", "field", "found (UTC)")
    for name in ("one source says", "the other says", "stored now"):
        table.add_column(name, justify="right")
    for row in rows:
        said = (f"{row.value:,.10g} ({row.source})", f"{row.other_value:,.10g} ({row.other_source})")
        stored = "-" if row.stored is None else f"{row.stored:,.10g}"
        table.add_row(row.ticker, str(row.trade_date), row.field, f"{row.found_at:%Y-%m-%d %H:%M}", *said, stored)
    out.print(table)


def show_coverage(covered: Sequence[JobCoverage]) -> None:
    """One row per job, and below it the tickers that lack most."""
    columns = ("sessions", "bars", "without trade", "held, no bar", "source gaps", "open", "unexplained")
    table = Table(*(Column(name, justify="left" if name in ("job", "up to") else "right") for name in
                    ("job", "up to", "tickers", *columns)))  # fmt: skip
    for one in covered:
        counts = (one.tickers, one.sessions, one.bars, one.without_trade, one.held, one.source_gaps, one.open_gaps)
        numbers = [f"{count:,}" for count in (*counts, one.unexplained)]
        if one.until is not None:
            table.add_row(one.job, str(one.until), *numbers)
    if table.row_count:
        out.print(table)
    for one in covered:
        if one.until is None:
            out.print(f"{one.job}: no run of the whole market yet: --job {one.job}")
        elif not one.tickers:
            out.print(f"{one.job}: nothing is expected yet, as no bar is stored: --job {one.job}")
        worst = sorted((row for row in one.rows if row.sessions > row.bars), key=lambda row: row.bars - row.sessions)
        for row in worst[:SHOWN_PROBLEMS]:
            out.print(
                f"{one.job}: {row.ticker} {row.first_day} to {row.last_day}: {row.bars:,} of {row.sessions:,}; "
                f"{row.held} held, {count(row.source_gaps, 'source gap')}, {row.open_gaps} open, "
                f"{row.unexplained} unexplained",
                markup=False,
            )
        if one.closures:
            closures = count(one.closures, "suspected or confirmed closure")
            out.print(f"{one.job}: {closures}: `sessions list`")
