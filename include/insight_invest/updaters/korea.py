"""Korean bars: the whole market of a session from KRX's listing, a ticker's history from Naver, Yahoo in need."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest import sessions
from include.insight_invest.errors import SourceError, SourceUnavailable, Throttled
from include.insight_invest.sources.base import Answer, State
from include.insight_invest.sources.krx import Snapshot, snapshot_bars, snapshot_definitions
from include.insight_invest.sources.naver import Naver
from include.insight_invest.sources.reader import CURRENCY
from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.store import universe
from include.insight_invest.store.bars import count_bars
from include.insight_invest.store.universe import Target
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
    """The market of the last session and of those that were missed; history from Naver only when it is asked for.

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
        yahoo = Yahoo(run.settings, run.job.iso_code)
        land_all(run, yahoo.prices(wanted_of(run, targets, history=False)), len(targets))


def _update_history(run: Run) -> None:
    if not universe.targets(run.connection, run.job.iso_code):
        _update_market(run)
    wanted = wanted_of(run, targets_of(run))
    land_all(run, Naver(run.settings).prices(wanted), len(wanted))


def _update_market(run: Run) -> None:
    snapshot = Snapshot(run.settings)
    try:
        listing = snapshot.market(run.session)
        stored = max((known.stored_until for known in targets_of(run) if known.stored_until), default=run.session)
        with run.connection.transaction():
            new, _ = universe.upsert_definitions(
                run.connection, snapshot_definitions(listing), by_hand=False, update=run.session >= stored
            )
        if new:
            run.notes.append(f"{new} tickers newly listed")
        targets = targets_of(run)
        require(run, targets)
        today = _answer(listing, targets, run.session)
        answers = [*_missed(run, snapshot, targets, len(today.bars)), today]
        land_all(run, iter(answers), len(targets) * len(answers))
    finally:
        run.counts.requests += snapshot.requests


def _missed(run: Run, snapshot: Snapshot, targets: Sequence[Target], usual: int) -> Iterator[Answer]:
    """The sessions since the first listing of which most of the market is missing, or only Yahoo's.

    One whose listing is gone is named in the report.
    """
    exchange = run.job.exchange
    meta_ids = [target.meta_id for target in targets]
    listings = count_bars(run.connection, meta_ids, [Snapshot.name], run.session)
    if not listings or usual == 0:
        return
    counts = count_bars(run.connection, meta_ids, [Snapshot.name, Naver.name], run.session)
    last = sessions.back(exchange, run.session, 1)
    since = sessions.sessions(exchange, min(listings), last) if min(listings) <= last else []
    missing = [day for day in since if counts.get(day, 0) < usual * MARKET_IS_THERE]
    lost = missing[:-HEALED_SESSIONS]
    throttled = False
    for day in missing[-HEALED_SESSIONS:]:
        try:
            if throttled:
                raise Throttled(f"KRX's listing of {day} was not asked for: its cache asked to slow down (429)")
            yield _answer(snapshot.earlier(day), targets, day)
        except SourceError as error:
            throttled = throttled or isinstance(error, Throttled)
            log.warning("%s", error)
            lost.append(day)
    if lost:
        run.notes.append(f"{len(lost)} sessions are missing: run --start {lost[0]} --end {lost[-1]}")


def _answer(listing: "pd.DataFrame", targets: Sequence[Target], day: date) -> Answer:
    meta_ids = {target.ticker: target.meta_id for target in targets}
    bars = snapshot_bars(listing, meta_ids, day)
    priced = set(bars["ticker"])
    if meta_ids and not priced:
        raise SourceUnavailable(f"KRX's listing of {day} has no closes")
    listed = set(listing["Code"])
    return Answer(
        source=Snapshot.name,
        currency=CURRENCY,
        bars=bars,
        actions=bars.iloc[:0],
        asked=targets,
        problems={
            ticker: (State.EMPTY, "listed, but without a close" if ticker in listed else "not in KRX's listing")
            for ticker in meta_ids
            if ticker not in priced
        },
    )
