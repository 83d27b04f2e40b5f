"""KRX's listings, session by session: what each defines, whether it is a copy, what it shows of base prices.

Both the daily run and a run over a range land their listings here, which is why they give the same.
"""

import logging
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest import sessions
from include.insight_invest.checks.korea import COPIED_NEEDS, COPIED_SHARE, FREE_SESSIONS, MOVED_SHARE, copied_share
from include.insight_invest.errors import SourceError, StaleSource
from include.insight_invest.sources.krx import Listed, Snapshot
from include.insight_invest.sources.krx_rows import snapshot_definitions
from include.insight_invest.store import universe
from include.insight_invest.store.inferred import bars_before, record_base_moves
from include.insight_invest.store.listed import define_listing, record_listing
from include.insight_invest.store.symbols import present_symbols
from include.insight_invest.store.universe import Target
from include.insight_invest.updaters.base_moves import moves_of
from include.insight_invest.updaters.gate import refuse_short_listing
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.updaters.resuming import remember_parts
from include.insight_invest.wording import count

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


def snapshot_of(run: Run) -> Snapshot:
    """The listings, whose old codes are told by the renames that are known."""

    def renamed(day: date) -> dict[str, str]:
        return run.again(lambda: present_symbols(run.connection, run.job.iso_code, day))

    return Snapshot(run.settings, renamed, run.turns)


@repeatable
def define(run: Run, listing: "pd.DataFrame", session: date) -> list[Target]:
    """Take over what the listing of ``session`` says of its shares, unless a newer one has; returns the run's tickers.

    Raises BatchRefused where it lacks too many of those of the session before: half a listing defines nothing either.
    """
    refuse_short_listing(run, listing["Code"], session)
    stored = max((known.stored_until for known in targets_on(run, session) if known.stored_until), default=session)
    with run.connection.transaction():
        taken = define_listing(
            run.connection,
            snapshot_definitions(listing),
            iso_code=run.job.iso_code,
            session=session,
            context=run.context,
            update=session >= stored,
        )
    run.notes += taken.notes
    if taken.new:
        run.notes.append(f"{count(taken.new, 'ticker')} newly listed")
    return targets_on(run, session)


@repeatable
def targets_on(run: Run, session: date) -> list[Target]:
    """The tickers this run is for that were not delisted by ``session``."""
    return universe.targets(run.connection, run.job.iso_code, run.options.tickers, run.options.shard, session=session)


def watched(
    run: Run,
    snapshot: Snapshot,
    answers: Iterator[Listed],
    stocks_before: "pd.Series[float] | None" = None,
    *,
    in_range: bool = False,
) -> Iterator[Listed]:
    """``answers`` in the order of their sessions, each held against what is stored before it, which has landed by then.

    Of each that lands, base prices that were set anew are recorded, and who was listed. ``stocks_before`` is {ticker:
    shares} of the session before the first. Raises StaleSource where the newest of a daily run is of another session;
    any other that is goes to ``snapshot.lost``. A run over a range remembers each session that landed.
    """
    for answer in answers:
        before = _stored_before(run, answer)
        moves = moves_of(run, answer, before, stocks_before)
        if why := _of_another_session(answer, before, moves):
            error = StaleSource(f"KRX's listing of {answer.session} {why}")
            if answer.session == run.session and not in_range:
                raise error
            log.warning("%s", error)
            snapshot.lost[answer.session] = error
            continue
        yield answer
        if not answer.landed:
            continue  # refused as a whole: what cannot be right is no evidence either
        stocks_before = answer.stocks.set_axis(answer.bars["ticker"]).groupby(level=0).first()
        _record(run, answer, moves)
        if in_range:
            remember_parts(run, [str(answer.session)])


@repeatable
def _record(run: Run, answer: Listed, moves: "pd.DataFrame") -> None:
    with run.batch():
        record_base_moves(run.connection, moves, run.context)
        run.notes += record_listing(
            run.connection, run.job.iso_code, answer.session, answer.listed, answer.source, run.context
        )


def _of_another_session(answer: Listed, before: "pd.DataFrame", moves: "pd.DataFrame") -> str | None:
    """Why what ``answer`` has is not of its session: a copy of the one before, or counted from other closes."""
    if (share := copied_share(answer.bars, before)) > COPIED_SHARE:
        return f"is a copy of the session before: {share:.0%} of its traded rows are"
    judged = int(before["stored_close"].notna().sum())
    if judged >= COPIED_NEEDS and (share := len(moves) / judged) > MOVED_SHARE:
        return f"is of another session: {share:.0%} of its base prices are not the closes before"
    return None


def stocks_before(run: Run, snapshot: Snapshot, session: date) -> "pd.Series[float] | None":
    """{ticker: shares} of the session before ``session`` where that was loaded; None where its listing is not kept."""
    try:
        return snapshot.stocks(sessions.back(run.job.exchange, session, 1))
    except SourceError as error:
        log.info("%s", error)
        return None


@repeatable
def _stored_before(run: Run, answer: Listed) -> "pd.DataFrame":
    count = len(answer.bars)
    since = sessions.back(run.job.exchange, answer.session, FREE_SESSIONS)
    days = [answer.session] * count
    return bars_before(run.connection, answer.bars["meta_id"].tolist(), days, [since] * count, days)
