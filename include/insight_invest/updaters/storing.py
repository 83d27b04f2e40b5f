"""One price answer, from the checks to the tables: what the daily run does with each batch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest.checks.answer import check_answer
from include.insight_invest.checks.verdict import KNOWN_ACTIONS, KNOWN_BARS, Checked, Known, typed
from include.insight_invest.sources.base import Answer
from include.insight_invest.store import quarantine
from include.insight_invest.store.bars import load_actions, load_bars
from include.insight_invest.store.database import Connection
from include.insight_invest.store.known import known_actions, known_bars
from include.insight_invest.store.load import Counts, LoadContext

if TYPE_CHECKING:
    import pandas as pd

# A history of which this many bars are held (more than any jump that comes back has) is not loaded yet: it is asked for
# again as a whole, until the source has mended it.
HELD_BLOCK = 11
# A source that is off as a whole must not bury the other notes.
SHOWN_BLOCKS = 5


def checked_answer(connection: Connection, answer: Answer, bars: "pd.DataFrame") -> Checked:
    """``bars``, those of ``answer`` that are of sessions, and its actions, checked against what is stored of them."""
    asked = {target.meta_id for target in answer.asked}
    known = Known(
        typed(known_bars(connection, bars, source=answer.source), KNOWN_BARS),
        typed(known_actions(connection, sorted(asked)), KNOWN_ACTIONS),
    )
    return check_answer(bars, answer.actions, known, currency=answer.currency, base=answer.base)


def store_answer(
    connection: Connection,
    answer: Answer,
    checked: Checked,
    context: LoadContext,
    *,
    sources: Sequence[str],
    settled_before: date,
) -> tuple[Counts, Checked]:
    """Load what is good and hold what is not. Call inside a transaction.

    Returns the counts, and ``checked`` with only those held rows that wait for a decision: one that was decided about
    stays decided, and is neither held again nor stored again.
    """
    named = {"source": answer.source, "currency": answer.currency}
    counts = load_actions(connection, checked.actions, context, **named)
    counts.add(
        load_bars(
            connection,
            checked.good,
            context,
            **named,
            sources=sources,
            settled_before=settled_before,
            volume_is_adjusted=answer.volume_is_adjusted,
        )
    )
    held = quarantine.hold(connection, checked.held, context, **named)
    quarantine.record_repairs(connection, checked.repaired, context, **named)
    quarantine.close_superseded(
        connection, checked.good, checked.actions, context, source=answer.source, held={row["meta_id"] for row in held}
    )
    counts.held = len(held)
    return counts, replace(checked, held=held)


def whole_histories(checked: Checked) -> set[int]:
    """The meta_ids of ``checked`` that have bars, and no block of them held."""
    held = [row["meta_id"] for row in checked.held if row["kind"] == "bar"]
    return {int(meta_id) for meta_id in checked.good["meta_id"].unique() if held.count(meta_id) < HELD_BLOCK}


def notes_of(checked: Checked) -> list[str]:
    """What of ``checked`` an operator must hear of: the blocks of a history that are held, and what was odd."""
    held = Counter(row["ticker"] for row in checked.held if row["kind"] == "bar")
    blocks = [(ticker, count) for ticker, count in held.most_common() if count >= HELD_BLOCK]
    notes = [
        f"{ticker}: {count} rows of its history are held: see `quarantine list`"
        for ticker, count in blocks[:SHOWN_BLOCKS]
    ]
    if len(blocks) > SHOWN_BLOCKS:
        notes.append(f"{len(blocks) - SHOWN_BLOCKS} more tickers have {HELD_BLOCK} rows or more held")
    return [*notes, *checked.notes]
