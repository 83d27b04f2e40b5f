"""One price answer, from the checks to the tables: what the daily run does with each batch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest.checks.answer import check_answer
from include.insight_invest.checks.decided import is_rejected
from include.insight_invest.checks.late_splits import (
    days_of_splits,
    in_old_shares,
    of_splits,
    since_wanted,
    spans,
    told_splits,
)
from include.insight_invest.checks.verdict import KNOWN_ACTIONS, KNOWN_BARS, Checked, Known, typed
from include.insight_invest.sources.base import Answer
from include.insight_invest.store import held
from include.insight_invest.store.actions import load_actions
from include.insight_invest.store.bars import load_bars
from include.insight_invest.store.database import Connection
from include.insight_invest.store.known import known_actions, known_bars, late_split_tickers
from include.insight_invest.store.load import Counts, LoadContext

if TYPE_CHECKING:
    import pandas as pd

# A history of which this many bars are held (more than any jump that comes back has) is not loaded yet: it is asked for
# again as a whole, until the source has mended it.
HELD_BLOCK = 11
# A source that is off as a whole must not bury the other notes.
SHOWN_BLOCKS = 5


@dataclass(frozen=True)
class Judged(Checked):
    """A checked answer, and what a split that was told late says of the store.

    ``rebased``: stored bars (KNOWN_BARS) in the shares before it, with the basis_date that they should have had.
    """

    rebased: "pd.DataFrame" = field(kw_only=True)


def undecided(connection: Connection, answer: Answer) -> Answer:
    """``answer`` without the bars and actions that an operator has rejected: nothing is to be concluded from them."""
    rejected = held.rejected(connection, [target.meta_id for target in answer.asked], source=answer.source)
    if rejected.empty:
        return answer
    bars = answer.bars[~is_rejected(answer.bars.assign(kind="bar"), "trade_date", "close", rejected)]
    actions = answer.actions[~is_rejected(answer.actions, "ex_date", "value", rejected)]
    return replace(answer, bars=bars, actions=actions)


def in_window(
    connection: Connection, answer: Answer, bars: "pd.DataFrame", since: Mapping[int, date]
) -> "pd.DataFrame":
    """The ``bars`` from the day on which each ticker is wanted (``since``, by meta_id).

    Of a ticker whose answer has a split that nobody had told when its day was stored, all of them: what is stored of
    the days around it was read in shares that nobody knew.
    """
    if bars.empty:
        return bars
    splits = days_of_splits(answer.actions)
    days = list(zip(splits["meta_id"].tolist(), splits["ex_date"].dt.date.tolist(), strict=True))
    return since_wanted(bars, since, late_split_tickers(connection, days))


def checked_answer(connection: Connection, answer: Answer, bars: "pd.DataFrame") -> Judged:
    """``bars``, those of ``answer`` that are of sessions, and its actions, checked against what is stored of them."""
    acted = known_actions(connection, sorted({target.meta_id for target in answer.asked}))
    actions = typed([row[:-1] for row in acted], KNOWN_ACTIONS)
    found = known_bars(connection, spans(bars, answer.actions, actions), source=answer.source)
    stored = typed([row[:-1] for row in found], KNOWN_BARS)
    told = told_splits(answer.actions, actions.assign(run_id=[row[-1] for row in acted]))
    rebased = in_old_shares(bars, stored.assign(run_id=[row[-1] for row in found]), told)
    stored.loc[rebased.index, "basis_date"] = rebased["basis_date"]
    checked = check_answer(bars, answer.actions, Known(stored, actions), currency=answer.currency, base=answer.base)
    return Judged(**vars(checked), rebased=of_splits(rebased, checked.actions, actions))


def store_answer(
    connection: Connection,
    answer: Answer,
    checked: Judged,
    context: LoadContext,
    *,
    sources: Sequence[str],
    settled_before: date,
) -> tuple[Counts, Judged]:
    """Load what is good and hold what is not. Call inside a transaction.

    Returns the counts, and ``checked`` with only those held rows that wait for a decision: one that was decided about
    stays decided, and is neither held again nor stored again.
    """
    named = {"source": answer.source, "currency": answer.currency}
    counts = load_actions(connection, checked.actions, context, **named)
    for bars, adjusted in ((checked.rebased, True), (checked.good, answer.volume_is_adjusted)):
        counts.add(
            load_bars(
                connection,
                bars,
                context,
                **named,
                sources=sources,
                settled_before=settled_before,
                volume_is_adjusted=adjusted,
            )
        )
    waiting = held.hold(connection, checked.held, context, **named)
    held.record_repairs(connection, checked.repaired, context, **named)
    held.close_superseded(
        connection,
        checked.good,
        checked.actions,
        context,
        sources=sources[sources.index(answer.source) :] if answer.source in sources else [answer.source],
        held={row["meta_id"] for row in waiting},
    )
    counts.held = len(waiting)
    return counts, replace(checked, held=waiting)


def whole_histories(checked: Checked) -> set[int]:
    """The meta_ids of ``checked`` that have bars, and no block of them held."""
    rows = [row["meta_id"] for row in checked.held if row["kind"] == "bar"]
    return {int(meta_id) for meta_id in checked.good["meta_id"].unique() if rows.count(meta_id) < HELD_BLOCK}


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


def read_in_old_shares(checked: Judged) -> set[int]:
    """The meta_ids of ``checked`` of which even the first stored bar that it met was in the shares before a late split:
    what is stored before that may be too."""
    first = checked.good.groupby("meta_id")["trade_date"].min()
    oldest = checked.rebased.groupby("meta_id")["trade_date"].min()
    return {int(meta_id) for meta_id in oldest.index[oldest <= first.reindex(oldest.index)]}
