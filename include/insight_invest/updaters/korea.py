"""Korean bars: the whole market of a session from KRX's listing, a ticker's history from Naver, Yahoo in need."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest import sessions
from include.insight_invest.checks.korea import COPIED_SHARE, FREE_SESSIONS, copied_share
from include.insight_invest.errors import SourceError, StaleSource
from include.insight_invest.sources.base import Wanted, Window
from include.insight_invest.sources.krx import Listed, Snapshot, snapshot_definitions
from include.insight_invest.sources.naver import Naver
from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.store import universe
from include.insight_invest.store.bars import count_bars
from include.insight_invest.store.inferred import bars_before
from include.insight_invest.store.listed import define_listing, record_listing
from include.insight_invest.store.overrides import silent_sessions
from include.insight_invest.store.symbols import present_symbols
from include.insight_invest.store.universe import Target
from include.insight_invest.updaters.base_moves import explain_moves, moves_of
from include.insight_invest.updaters.gate import refuse_short_listing
from include.insight_invest.updaters.landing import land_all, require, targets_of, wanted_of
from include.insight_invest.updaters.progress import Run

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

# Sessions that earlier runs missed are asked of the listing's cache, one request each, up to this many back.
HEALED_SESSIONS = 10
# Of the shares listed today; some were not listed yet, or did not trade.
MARKET_IS_THERE = 0.9


def update_kr(run: Run) -> None:
    """The market of the last sessions and of those that were missed; history from Naver only when it is asked for.

    Where the listing is down or stale, each known ticker's last sessions are asked of Yahoo, and marked as such.
    """
    if run.options.full_refresh or run.options.start is not None or run.options.end is not None:
        _update_history(run)
        return
    try:
        _update_market(run)
    except SourceError as error:
        targets = targets_of(run)
        if not targets:
            raise
        run.notes.append(f"KRX's listing was of no use ({error}); Yahoo was asked instead")
        log.warning("%s", run.notes[-1])
        wanted = wanted_of(run, targets, history=False)
        land_all(run, Yahoo(run.settings, run.job.iso_code).prices(wanted[: run.requests_left]), len(wanted))


def _update_history(run: Run) -> None:
    if not universe.targets(run.connection, run.job.iso_code):
        _update_market(run)
    wanted = wanted_of(run, targets_of(run))
    land_all(run, Naver(run.settings).prices(wanted[: run.requests_left]), len(wanted))


def _update_market(run: Run) -> None:
    snapshot = Snapshot(run.settings, lambda day: present_symbols(run.connection, run.job.iso_code, day))
    try:
        targets = _define(run, snapshot.market(run.session))
        require(run, targets)
        missing = _missing(run, targets)
        first = _first_wanted(run, targets, missing)
        wanted = [Wanted(target=target, window=Window(start=first, session=run.session)) for target in targets]
        moves: list[pd.DataFrame] = []
        days = len(sessions.sessions(run.job.exchange, first, run.session))
        land_all(run, _watched(run, snapshot, wanted, moves), len(targets) * days)
        _note_lost(run, snapshot, missing)
    finally:
        run.counts.requests += snapshot.untold_requests()
    explain_moves(run, moves, targets)


def _define(run: Run, listing: "pd.DataFrame") -> list[Target]:
    """Take over what the listing says of its shares, unless a newer one has; returns this run's tickers.

    Raises BatchRefused where it lacks too many of those of the session before: half a listing defines nothing either.
    """
    refuse_short_listing(run, listing["Code"])
    stored = max((known.stored_until for known in targets_of(run) if known.stored_until), default=run.session)
    with run.connection.transaction():
        taken = define_listing(
            run.connection,
            snapshot_definitions(listing),
            iso_code=run.job.iso_code,
            session=run.session,
            context=run.context,
            update=run.session >= stored,
        )
    run.notes += taken.notes
    if taken.new:
        run.notes.append(f"{taken.new} tickers newly listed")
    return targets_of(run)


def _missing(run: Run, targets: Sequence[Target]) -> list[date]:
    """The sessions since the first listing of which most of the market is missing, or only Yahoo's."""
    exchange = run.job.exchange
    meta_ids = [target.meta_id for target in targets]
    listings = count_bars(run.connection, meta_ids, [Snapshot.name], run.session)
    if not listings:
        return []
    counts = count_bars(run.connection, meta_ids, [Snapshot.name, Naver.name], run.session)
    last = sessions.back(exchange, run.session, 1)
    silent = silent_sessions(run.connection, exchange)
    since = sessions.sessions(exchange, min(listings), last) if min(listings) <= last else []
    usual = max(counts.values())
    return [day for day in since if day not in silent and counts.get(day, 0) < usual * MARKET_IS_THERE]


def _first_wanted(run: Run, targets: Sequence[Target], missing: Sequence[date]) -> date:
    """The look-back reaches to the first listing that there was; further back only for what was missed."""
    exchange, session = run.job.exchange, run.session
    listings = count_bars(run.connection, [target.meta_id for target in targets], [Snapshot.name], session)
    look_back = sessions.back(exchange, session, run.settings.lookback_sessions - 1)
    healed = sessions.back(exchange, session, HEALED_SESSIONS)
    first = max(min(listings, default=session), look_back)
    return min([first, *(day for day in missing if day >= healed)])


def _watched(run: Run, snapshot: Snapshot, wanted: Sequence[Wanted], moves: "list[pd.DataFrame]") -> Iterator[Listed]:
    """The snapshot's answers, each held against what is stored before it, now that the session before has landed.

    Base prices that were set anew go to ``moves``. Raises StaleSource where the newest session is a copy of the one
    before; an earlier one that is goes to ``snapshot.lost``.
    """
    stocks_before: pd.Series[float] | None = None
    for answer in snapshot.prices(wanted):
        before = _stored_before(run, answer)
        share = copied_share(answer.bars, before)
        if share > COPIED_SHARE:
            error = StaleSource(
                f"KRX's listing of {answer.session} is a copy of the session before: {share:.0%} of its traded rows are"
            )
            if answer.session == run.session:
                raise error
            log.warning("%s", error)
            snapshot.lost[answer.session] = error
            continue
        moves.append(moves_of(run, answer, before, stocks_before))
        stocks_before = answer.stocks.set_axis(answer.bars["ticker"]).groupby(level=0).first()
        yield answer
        with run.connection.transaction():
            run.notes += record_listing(
                run.connection, run.job.iso_code, answer.session, answer.listed, answer.source, run.context
            )


def _stored_before(run: Run, answer: Listed) -> "pd.DataFrame":
    count = len(answer.bars)
    since = sessions.back(run.job.exchange, answer.session, FREE_SESSIONS)
    days = [answer.session] * count
    return bars_before(run.connection, answer.bars["meta_id"].tolist(), days, [since] * count, days)


def _note_lost(run: Run, snapshot: Snapshot, missing: Sequence[date]) -> None:
    """Name the missing sessions that no listing gave; one that is stored and could not be read again is in the log."""
    healed = sessions.back(run.job.exchange, run.session, HEALED_SESSIONS)
    lost = [day for day in missing if day < healed or day in snapshot.lost]
    if lost:
        run.notes.append(f"{len(lost)} sessions are missing: run --start {lost[0]} --end {lost[-1]}")
