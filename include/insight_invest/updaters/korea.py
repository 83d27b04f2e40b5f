"""Korean bars: the whole market of a session from KRX's listing, a ticker's history from Naver, Yahoo in need."""

import logging
from collections.abc import Sequence
from datetime import date

from include.insight_invest import sessions
from include.insight_invest.errors import SourceError
from include.insight_invest.sources.base import Wanted, Window
from include.insight_invest.sources.krx import Snapshot
from include.insight_invest.sources.naver import Naver
from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.store import universe
from include.insight_invest.store.bars import count_bars
from include.insight_invest.store.overrides import silent_sessions
from include.insight_invest.store.universe import Target
from include.insight_invest.updaters.base_moves import explain_moves
from include.insight_invest.updaters.korea_listings import define, snapshot_of, watched
from include.insight_invest.updaters.korea_range import (
    end_walk,
    fill_from_naver,
    note_restated,
    range_sessions,
    read_by_listing,
    walk_listings,
)
from include.insight_invest.updaters.landing import land_all, require, targets_of, wanted_of
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.updaters.resuming import budget_spent, is_backfill
from include.insight_invest.wording import count

log = logging.getLogger(__name__)

# Sessions that earlier runs missed are asked of the listing's cache, one request each, up to this many back.
HEALED_SESSIONS = 10
# Of the shares listed today; some were not listed yet, or did not trade.
MARKET_IS_THERE = 0.9


def update_kr(run: Run) -> None:
    """The market of the last sessions and of those that were missed; a past range by its listings, or from Naver.

    Where the listing is down or stale, each known ticker's last sessions are asked of Yahoo, and marked as such.
    """
    if is_backfill(run):
        _update_past(run)
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
        land_all(run, Yahoo(run.settings, run.job.iso_code, run.turns).prices(wanted[: run.requests_left]), len(wanted))


def _update_past(run: Run) -> None:
    days = range_sessions(run)
    if not read_by_listing(run, days):
        _know_somebody(run)
    if not read_by_listing(run, days):
        wanted = wanted_of(run, targets_of(run))
        land_all(run, Naver(run.settings, run.turns).prices(wanted[: run.requests_left]), len(wanted))
        if not run.options.full_refresh:
            note_restated(run, "the range")
        return
    walk = walk_listings(run, days)
    if walk.lost:
        _know_somebody(run)
        fill_from_naver(run, walk)
    end_walk(run, walk)


def _know_somebody(run: Run) -> None:
    """The universe of a new database is what is listed now."""
    if universe.targets(run.connection, run.job.iso_code):
        return
    if run.end == run.session:
        _update_market(run)
        return
    snapshot = snapshot_of(run)
    try:
        define(run, snapshot.market(run.session), run.session)
    finally:
        run.counts.requests += snapshot.untold_requests()


def _update_market(run: Run) -> None:
    snapshot = snapshot_of(run)
    try:
        targets = define(run, snapshot.market(run.session), run.session)
        require(run, targets)
        missing = _missing(run, targets)
        days = sessions.sessions(run.job.exchange, _first_wanted(run, targets, missing), run.session)
        cut = max(0, len(days) - 1 - max(0, run.requests_left - snapshot.requests))
        window = Window(start=days[cut], session=run.session)
        wanted = [Wanted(target=target, window=window) for target in targets]
        answers = watched(run, snapshot, snapshot.prices(wanted))
        land_all(run, answers, len(targets), rounds=len(days) - cut)
        _note_lost(run, snapshot, missing)
    finally:
        run.counts.requests += snapshot.untold_requests()
    explain_moves(run, targets)
    if cut:
        raise budget_spent(run, f"{cut} earlier sessions' listings")


@repeatable
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


@repeatable
def _first_wanted(run: Run, targets: Sequence[Target], missing: Sequence[date]) -> date:
    """The look-back reaches to the first listing that there was; further back only for what was missed."""
    exchange, session = run.job.exchange, run.session
    listings = count_bars(run.connection, [target.meta_id for target in targets], [Snapshot.name], session)
    look_back = sessions.back(exchange, session, run.settings.lookback_sessions - 1)
    healed = sessions.back(exchange, session, HEALED_SESSIONS)
    first = max(min(listings, default=session), look_back)
    return min([first, *(day for day in missing if day >= healed)])


def _note_lost(run: Run, snapshot: Snapshot, missing: Sequence[date]) -> None:
    """Name the missing sessions that no listing gave; one that is stored and could not be read again is in the log."""
    healed = sessions.back(run.job.exchange, run.session, HEALED_SESSIONS)
    lost = [day for day in missing if day < healed or day in snapshot.lost]
    if lost:
        run.notes.append(f"{count(len(lost), 'session')} missing: run --start {lost[0]} --end {lost[-1]}")
