"""docs/confusion.md, as the command writes it."""

from collections.abc import Sequence
from dataclasses import asdict, astuple

from tests.repair.confusion import Confusion, is_right, total

DOCUMENT = "docs/confusion.md"
_HEADINGS = {
    "table": "table",
    "rows": "rows",
    "adjusted_only": "damage in Adj Close only",
    "damaged": "damaged",
    "quarantined": "quarantined",
    "proposed": "with the right proposal",
    "missed": "missed",
    "without_price": "rows without a price",
    "clean": "clean",
    "untouched": "stored untouched",
    "without_fields": "stored without an impossible field",
    "put_right": "stored in the right unit",
    "false_alarms": "held: false alarms",
}
_HEAD = """# Confusion table

Of the {clean:,} rows, splits and dividends of the tables that are right (`-fixed` and `no-bad-divs`)
{untouched:,} are stored as they came, {without_fields:,} without an open, high or low that cannot be,
{put_right:,} in the unit of the close that they repeat, and {false_alarms:,} are held.
{without_price:,} further rows have no price at all: they are none, and their sessions are gaps.
Of the {damaged:,} damaged rows, splits and dividends {quarantined:,} are held, {proposed:,} of them with the right
proposal, and {missed:,} are missed.

Written by `python -m tests.repair --write`; `tests/repair` holds it to what the command writes.

Every table of yfinance's price-repair tests (Apache-2.0), loaded as the daily run loads the first answer of a ticker:
checks, quarantine, PostgreSQL. *Damaged* are the rows (open, high, low, close, volume) and the splits and dividends
that differ from the `-fixed` table of the same name. Damage in the vendor's adjusted column has no effect: it is not
read. A quarantined row is *with the right proposal* where `quarantine release --proposed` stores what the `-fixed`
table says (of KAP-IL's phantom dividend there is nothing to store).

*Without an impossible field*: Yahoo's close is the auction's, its open, high and low are of the trades it saw, so that
of thinly traded shares the close may be over the high (TENT-L), or low and high of another session (CLC-L: 0.50 where
the close is 0.60 as on the sessions before and after). The close is stored, only what it contradicts is left out, and
the row as it came is recorded. *In the right unit*: six sessions of CLC-L without a trade, whose 0.006 between 0.60 and
0.60 the `-fixed` table has as well. Calendars are not consulted: these are foreign markets, one table is weekly, and
one of quarters of an hour is laid on consecutive weekdays.

"""


def columns() -> list[str]:
    """The headings, in the order of Confusion's fields."""
    return list(_HEADINGS.values())


def document(counted: Sequence[Confusion]) -> str:
    """The page."""
    lines = ["| " + " | ".join(columns()) + " |", "|---" + "|--:" * (len(_HEADINGS) - 1) + "|"]
    lines += ["| " + " | ".join(map(_cell, astuple(row))) + " |" for row in [*counted, total(counted)]]
    sums = asdict(total([row for row in counted if is_right(row)]))
    damage = asdict(total(counted))
    found = {name: damage[name] for name in ("damaged", "quarantined", "proposed", "missed")}
    return _HEAD.format(**sums | found) + "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
