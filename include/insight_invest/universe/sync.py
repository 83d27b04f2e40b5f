"""A universe from the exchanges' own listings."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.insight_invest.settings import Settings
from include.insight_invest.sources.krx import Snapshot, snapshot_definitions
from include.insight_invest.sources.listings import EXCHANGES, us_listing
from include.insight_invest.store.database import Connection
from include.insight_invest.store.universe import upsert_definitions

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Synced:
    """What a listing changed."""

    listed: int
    new: int
    changed: int


def sync_listing(connection: Connection, settings: Settings, iso_code: str) -> Synced:
    """Add and update the tickers that are listed in ``iso_code`` (US, KR). Raises SourceUnavailable.

    A ticker that a listing lacks stays: listings flap, and one absence is no evidence.
    """
    listing = _listing(settings, iso_code)
    with connection.transaction():
        new, changed = upsert_definitions(connection, listing, by_hand=False)
    return Synced(len(listing), new, changed)


def _listing(settings: Settings, iso_code: str) -> "pd.DataFrame":
    import pandas as pd

    if iso_code == "KR":
        return snapshot_definitions(Snapshot(settings).newest())
    listings = [us_listing(exchange, settings.timeout) for exchange in EXCHANGES]
    # A share that is listed on two exchanges is one ticker: the first exchange's row stands.
    return pd.concat(listings, ignore_index=True).drop_duplicates("ticker")
