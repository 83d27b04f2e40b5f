"""US bars and actions: from Yahoo, and on a day on which Yahoo is down the close of the day from Nasdaq's listings."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from include.insight_invest import sessions
from include.insight_invest.errors import SourceError, SourceUnavailable
from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import Answer, State, Wanted, Window
from include.insight_invest.sources.calling import Turns
from include.insight_invest.sources.listings import EXCHANGES
from include.insight_invest.sources.nasdaq import Nasdaq
from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.store import coverage, recent
from include.insight_invest.store.database import Connection
from include.insight_invest.store.listed import ever_listed, record_listing
from include.insight_invest.store.universe import Target
from include.insight_invest.updaters.landing import land_all, land_more, targets_of, wanted_of
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.updaters.resuming import is_backfill
from include.insight_invest.wording import count

log = logging.getLogger(__name__)

# The listings are held against this many sessions before the wanted one: the last of them must be the best fit.
PROVING_SESSIONS = 7
_NOT_SERVED = (State.FAILED, State.THROTTLED)


def update_us(run: Run) -> None:
    """The last sessions of every ticker again, a new ticker's whole history.

    Of the tickers that Yahoo failed to serve, not of those of which it has nothing, the listings give the close of the
    last session, marked as theirs; the next run that reaches Yahoo replaces it. A range or a whole history they have
    not: it fails with Yahoo.
    """
    wanted = wanted_of(run, targets_of(run))
    try:
        land_all(run, Yahoo(run.settings, run.job.iso_code, run.turns).prices(wanted[: run.requests_left]), len(wanted))
    except SourceUnavailable as down:
        left = _left(run, wanted, str(down))
        if not (left and _stand_in(run, left)):
            raise
    else:
        left = _left(run, wanted, "Yahoo did not answer")
        if left:
            _stand_in(run, left)


def listings_of(connection: Connection, settings: Settings, session: date, turns: Turns | None = None) -> Nasdaq:
    """The exchanges' files, with what is stored of the sessions before ``session`` to prove by that they are of it."""
    eve, start = (sessions.back("XNYS", session, count) for count in (1, PROVING_SESSIONS))
    return Nasdaq(settings, recent.closes(connection, "US", start, session), eve, turns)


def ask_listings(run: Run, wanted: Sequence[Wanted]) -> Answer:
    """What the listings say of ``wanted``. They are asked for once a run; then they are evidence of who is listed.

    Raises as ``Nasdaq.prices``.
    """
    if run.listings is None:
        run.listings = run.again(lambda: listings_of(run.connection, run.settings, run.end, run.turns))
    nasdaq = run.listings
    sent, proven = nasdaq.requests, nasdaq.proven
    try:
        (answer,) = nasdaq.prices(wanted)
    finally:
        run.counts.requests += nasdaq.requests - sent
    if nasdaq.listed and not proven:
        _record(run, nasdaq)
    return replace(answer, requests=0)


@repeatable
def _record(run: Run, nasdaq: Nasdaq) -> None:
    with run.batch():
        run.notes += record_listing(run.connection, run.job.iso_code, run.end, nasdaq.listed, nasdaq.name, run.context)


def land_listed(run: Run, targets: Sequence[Target]) -> None:
    """Ask the listings for the close of the last session of ``targets``; what they have is stored as theirs.

    A target of which they have nothing, and could have, was asked in vain.
    """
    if run.listings is None and run.requests_left < len(EXCHANGES):
        return
    window = Window(start=run.session, session=run.session)
    try:
        answer = ask_listings(run, [Wanted(target=target, window=window) for target in targets])
    except SourceError as error:
        log.warning("Nasdaq's listings were asked for %d tickers without a bar: %s", len(targets), error)
        return
    if served := [target for target in targets if target.ticker not in answer.problems]:
        land_more(run, iter([replace(answer, asked=served, problems={})]))
    if run.listings is None or not run.listings.listed:
        return
    _note_unlisted(run, answer.source, [one.meta_id for one in targets if one.ticker not in run.listings.traded])


@repeatable
def _note_unlisted(run: Run, source: str, meta_ids: Sequence[int]) -> None:
    """Those of ``meta_ids`` that a listing has ever had were asked for in vain."""
    known = ever_listed(run.connection, meta_ids, run.session)
    with run.connection.transaction():
        coverage.asked_in_vain(run.connection, source, dict.fromkeys(known, run.session), run.session, run.context)


def _left(run: Run, wanted: Sequence[Wanted], reason: str) -> list[Wanted]:
    """Those that Yahoo did not serve; of those that it was not asked for any more, ``reason`` is why."""
    for one in wanted:
        run.outcomes.setdefault(one.target.ticker, (State.FAILED, f"not asked: {reason}"))
    return [one for one in wanted if run.outcomes[one.target.ticker][0] in _NOT_SERVED]


def _stand_in(run: Run, left: Sequence[Wanted]) -> bool:
    """Land what the listings have of those that are ``left``; whether they had anything."""
    if is_backfill(run):
        return False
    try:
        answer = ask_listings(run, left)
    except SourceError as error:
        run.notes.append(f"Yahoo did not serve {count(len(left), 'ticker')}, and the listings are of no use ({error})")
        log.warning("%s", run.notes[-1])
        return False
    # What they do not have keeps Yahoo's reason.
    served = [target for target in answer.asked if target.ticker not in answer.problems]
    run.notes.append(
        f"Yahoo did not serve {count(len(left), 'ticker')}; {len(served)} have the close of {run.end} from "
        "Nasdaq's listings, until it does"
    )
    log.warning("%s", run.notes[-1])
    if not served:
        return False
    # One session is no history, and says nothing of those before it.
    run.whole -= {target.meta_id for target in served}
    run.since |= {target.meta_id: run.end for target in served}
    land_all(run, iter([replace(answer, asked=served, problems={})]), len(served))
    return True
