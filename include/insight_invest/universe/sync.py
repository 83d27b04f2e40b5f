"""A universe from the exchanges' own listings."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from include.insight_invest import sessions
from include.insight_invest.errors import StaleSource
from include.insight_invest.jobs import price_job
from include.insight_invest.settings import Settings
from include.insight_invest.sources.krx import Snapshot
from include.insight_invest.sources.krx_rows import snapshot_definitions
from include.insight_invest.store import coverage, ledger, symbols
from include.insight_invest.store.database import Connection
from include.insight_invest.store.lease import lease
from include.insight_invest.store.listed import define_listing, last_listing, record_listing
from include.insight_invest.store.load import LoadContext
from include.insight_invest.store.turns import SharedTurns
from include.insight_invest.store.universe import targets
from include.insight_invest.updaters.expected import expected_sessions
from include.insight_invest.updaters.us import listings_of

if TYPE_CHECKING:
    import pandas as pd

JOB = "universe"  # under this name the ledger keeps what listings changed


@dataclass(frozen=True)
class Synced:
    """What a listing changed, and what an operator should know."""

    listed: int
    new: int
    changed: int
    notes: list[str] = field(default_factory=list)
    renames: list[tuple[str, str]] = field(default_factory=list)  # (old, new) perhaps: waits for an operator's word


@dataclass(frozen=True)
class _Listing:
    """Whom a listing has, of which session it is and where from; ``unproven`` says why the session is not certain."""

    rows: "pd.DataFrame"
    session: date
    source: str
    unproven: str | None = None


def sync_listing(connection: Connection, settings: Settings, iso_code: str, now: datetime) -> Synced:
    """Add and update the tickers that are listed in ``iso_code`` (US, KR), with a ledger row.

    Holds the lease of the market's price job, which does the same. The US listings do not say of which session they
    are: they are evidence of delistings only where the stored closes prove that it is the last one. A ticker that the
    listing lacks stays: listings flap, and only five sessions' listings are evidence. A new ticker with the name of one
    that has just left is held back until somebody has decided whether it is the same share, or the old one counts as
    delisted. What is missing of who was added is recorded: the next run asks for it. Raises SourceUnavailable,
    LeaseHeld.
    """
    with lease(connection, price_job(iso_code).name, (1, 1)):
        return _sync(connection, _listing(connection, settings, iso_code, now), iso_code, now)


def _sync(connection: Connection, found: _Listing, iso_code: str, now: datetime) -> Synced:
    listing, session = found.rows, found.session
    with connection.transaction():
        attempt = ledger.Attempt(
            job=JOB, shard=(1, 1), trigger=f"sync {iso_code}", as_of=now, session_date=session, started_at=now
        )
        context = LoadContext(ledger.open_run(connection, attempt), now)
        renamed = symbols.perhaps_renamed(connection, iso_code, listing)
        known = listing[~listing["ticker"].isin([new for _, new in renamed])]
        taken = define_listing(connection, known, iso_code=iso_code, session=session, context=context)
        if found.unproven and last_listing(connection, iso_code):
            told = [f"no evidence of delistings: {found.unproven}"]
        else:  # the first listing of a market says nothing of who is gone
            told = record_listing(connection, iso_code, session, set(known["ticker"]), found.source, context)
        _record_missing(connection, iso_code, context)
        ledger.close_run(
            connection, context.run_id, status="succeeded", finished_at=now, tickers={}, requests=0, error=None
        )
    proposals = [
        f"{old} is gone and {new} is new, with the same name; {new} was not added. If it is the same share: "
        f"universe rename {old} {new} --market {iso_code} --on {session} --note ..."
        for old, new in renamed
    ]
    return Synced(len(listing), taken.new, taken.changed, [*taken.notes, *told, *proposals], renamed)


def _record_missing(connection: Connection, iso_code: str, context: LoadContext) -> None:
    """Open the gaps of who is listed since a session that the market's runs have been through without it."""
    job = price_job(iso_code)
    for looked in coverage.settled(connection, job.name):
        followed = targets(connection, iso_code, shard=looked.shard, session=sessions.FIRST_DAY)
        expected = expected_sessions(connection, job.exchange, looked.until)
        coverage.open_gaps(connection, [one.meta_id for one in followed], expected, context, since=looked.since)


def _listing(connection: Connection, settings: Settings, iso_code: str, now: datetime) -> _Listing:
    with SharedTurns(settings.database()) as turns:
        if iso_code == "KR":
            listing, session = Snapshot(settings, turns=turns).newest_dated()
            return _Listing(snapshot_definitions(listing), session, Snapshot.name)
        session = sessions.last_closed("XNYS", now)
        nasdaq = listings_of(connection, settings, session, turns)
        rows = nasdaq.definitions()
    try:
        nasdaq.prove(session)
    except StaleSource as error:
        return _Listing(rows, session, nasdaq.name, unproven=str(error))
    return _Listing(rows, session, nasdaq.name)
