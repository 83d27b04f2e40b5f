"""FRED's answers as literals and from recorded files: what it would have said of a window, and what is stored."""

import csv
import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from include.insight_invest.store import ledger, read
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Change, Counts, LoadContext
from include.insight_invest.store.vintages import load_vintages
from tests.store.rows import NAN, Vintage, end_run, instant, start_run, vintages

FOREVER = "9999-12-31"

# base_date, realtime_start, realtime_end, value
Release = tuple[str, str, str, float | None]


def load_answer(
    connection: Connection,
    rows: Sequence[Vintage],
    *,
    until: str,
    known_until: str | None = None,
    as_of: str = "2026-03-20 09",
    on_change: Callable[[Change], None] | None = None,
) -> Counts:
    """One run that loads one answer for series 1, whose window ends on ``until``."""
    run_id = start_run(connection, as_of, job="macro")
    with connection.transaction():
        counts = load_vintages(
            connection,
            vintages(*rows),
            LoadContext(run_id, instant(as_of), on_change),
            macro_id=1,
            source="fred",
            until=date.fromisoformat(until),
            known_until=None if known_until is None else date.fromisoformat(known_until),
        )
        ledger.add(connection, run_id, counts)
    end_run(connection, run_id)
    return counts


def answer(releases: Sequence[Release], start: str, end: str) -> list[Vintage]:
    """What FRED says of the window from ``start`` to ``end``: the releases of its days, cut to it."""
    return [
        (day, max(since, start), NAN if value is None else value)
        for day, since, until, value in releases
        if since <= end and until >= start
    ]


def known_on(releases: Sequence[Release], day: str) -> dict[str, float | None]:
    """{base_date: value} as FRED has it for ``day``."""
    return {base: value for base, since, until, value in releases if since <= day <= until}


def as_of(connection: Connection, fred: str, day: str) -> dict[str, float | None]:
    """{base_date: value} as the store has it for ``day``."""
    return {str(row.base_date): row.value for row in read.observations(connection, fred, date.fromisoformat(day))}


def recorded(shared_data: Path, name: str) -> list[Release]:
    """A recorded answer about GDP."""
    rows = json.loads((shared_data / "fred" / f"GDP.{name}.json").read_bytes())["observations"]
    return [(row["date"], row["realtime_start"], row["realtime_end"], _number(row["value"])) for row in rows]


def snapshot(shared_data: Path, day: str, series: str) -> dict[str, float | None]:
    """{base_date: value} of a series as it was served on ``day``."""
    with (shared_data / "fred" / f"{day}.{series}.csv").open(encoding="utf-8-sig", newline="") as file:
        return {base: _number(value) for base, value in list(csv.reader(file))[1:]}


def replaced(connection: Connection) -> list[tuple[Any, ...]]:
    """tb_macro_revision: base_date, realtime_start, value, run_id, replaced_by, withdrawn."""
    return connection.execute(
        "select base_date::text, realtime_start::text, value, run_id, replaced_by, withdrawn from tb_macro_revision "
        "order by revision_id"
    ).fetchall()


def days_around(days: Sequence[str]) -> list[str]:
    """``days``, and the days before and after each."""
    whole = [date.fromisoformat(day) for day in days]
    return sorted({str(day + timedelta(days=step)) for day in whole for step in (-1, 0, 1)})


def _number(text: str) -> float | None:
    return None if text in ("", ".") else float(text)
