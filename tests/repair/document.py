"""docs/confusion.md, as the command writes it."""

from collections.abc import Sequence
from dataclasses import astuple

from tests.repair.confusion import RESIDUAL, Confusion, total

DOCUMENT = "docs/confusion.md"
_HEADINGS = {
    "table": "table",
    "rows": "rows",
    "adjusted_only": "damage in Adj Close only",
    "damaged": "damaged",
    "quarantined": "quarantined",
    "proposed": "with the right proposal",
    "missed": "missed",
    "clean": "clean",
    "loaded": "loaded",
    "without_fields": "of those without an impossible field",
    "residual": "damaged in the mended table too",
    "false_alarms": "false alarms",
}
_HEAD = """# Confusion table

Written by `python -m tests.repair --write`; `tests/repair` holds it to what the command writes.

Every table of yfinance's price-repair tests (Apache-2.0), loaded as the daily run loads the first answer of a ticker:
checks, quarantine, PostgreSQL. *Damaged* are the rows (open, high, low, close, volume) and the splits and dividends
that differ from the `-fixed` table of the same name. Damage in the vendor's adjusted column has no effect: it is not
read. A quarantined row is *with the right proposal* where `quarantine release --proposed` stores what the `-fixed`
table says (of KAP-IL's phantom dividend there is nothing to store). *Without an impossible field*: an open or close up
to 5 % outside low and high, as Yahoo has it of thinly traded shares; the close is stored, what cannot be is left out
and recorded. Calendars are not consulted: these are foreign markets, one table is weekly, and one of quarters of an
hour is laid on consecutive weekdays.

"""
_RESIDUAL = """
## Damage that the `-fixed` tables still have

It is held in both tables of a pair, and is no false alarm.

| table | day | why |
|---|---|---|
"""


def columns() -> list[str]:
    """The headings, in the order of Confusion's fields."""
    return list(_HEADINGS.values())


def document(counted: Sequence[Confusion]) -> str:
    """The page."""
    lines = ["| " + " | ".join(columns()) + " |", "|---" + "|--:" * (len(_HEADINGS) - 1) + "|"]
    lines += ["| " + " | ".join(map(_cell, astuple(row))) + " |" for row in [*counted, total(counted)]]
    residual = [f"| {table} | {day} | {why} |" for table, days in RESIDUAL.items() for day, why in days.items()]
    return _HEAD + "\n".join(lines) + "\n" + _RESIDUAL + "\n".join(residual) + "\n"


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
