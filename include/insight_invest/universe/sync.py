"""A universe from the exchanges' own listings."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from include.insight_invest import sessions
from include.insight_invest.settings import Settings
from include.insight_invest.sources.krx import Snapshot, snapshot_definitions
from include.insight_invest.sources.listings import EXCHANGES, us_listing
from include.insight_invest.store import ledger, symbols
from include.insight_invest.store.database import Connection
from include.insight_invest.store.listed import define_listing, record_listing
from include.insight_invest.store.load import LoadContext

if TYPE_CHECKING:
    import pandas as pd

JOB = "universe"  # under this name the ledger keeps what listings changed
US_LISTING = "nasdaq"


@dataclass(frozen=True)
class Synced:
    """What a listing changed, and what an operator should know."""

    listed: int
    new: int
    changed: int
    notes: list[str] = field(default_factory=list)


def sync_listing(connection: Connection, settings: Settings, iso_code: str, now: datetime) -> Synced:
    """Add and update the tickers that are listed in ``iso_code`` (US, KR), with a ledger row. Raises SourceUnavailable.

    A ticker that the listing lacks stays: listings flap, and only five sessions' listings are evidence. A new ticker
    with the name of one that has just left is held back until somebody has decided whether it is the same share, or
    the old one counts as delisted.
    """
    listing, session, source = _listing(settings, iso_code, now)
    with connection.transaction():
        attempt = ledger.Attempt(
            job=JOB, shard=(1, 1), trigger=f"sync {iso_code}", as_of=now, session_date=session, started_at=now
        )
        context = LoadContext(ledger.open_run(connection, attempt), now)
        renamed = symbols.perhaps_renamed(connection, iso_code, listing)
        known = listing[~listing["ticker"].isin([new for _, new in renamed])]
        taken = define_listing(connection, known, iso_code=iso_code, session=session, context=context)
        told = record_listing(connection, iso_code, session, set(known["ticker"]), source, context)
        ledger.close_run(
            connection, context.run_id, status="succeeded", finished_at=now, tickers={}, requests=0, error=None
        )
    proposals = [
        f"{old} is gone and {new} is new, with the same name; {new} was not added. If it is the same share: "
        f"universe rename {old} {new} --market {iso_code} --on {session} --note ..."
        for old, new in renamed
    ]
    return Synced(len(listing), taken.new, taken.changed, [*taken.notes, *told, *proposals])


def _listing(settings: Settings, iso_code: str, now: datetime) -> "tuple[pd.DataFrame, date, str]":
    """The listing, the session it is of, and where it is from. Those of US exchanges say of the last closed one."""
    import pandas as pd

    if iso_code == "KR":
        listing, session = Snapshot(settings).newest_dated()
        return snapshot_definitions(listing), session, Snapshot.name
    listings = [us_listing(exchange, settings.timeout) for exchange in EXCHANGES]
    # A share that is listed on two exchanges is one ticker: the first exchange's row stands.
    rows = pd.concat(listings, ignore_index=True).drop_duplicates("ticker")
    return rows, sessions.last_closed("XNYS", now), US_LISTING
