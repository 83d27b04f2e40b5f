"""What the rows of KRX's listing say, as bars and as definitions."""

from datetime import date
from typing import Any

import pandas as pd

from include.insight_invest.errors import SourceUnavailable
from include.insight_invest.sources.reader import without_halt_zeros
from include.insight_invest.wording import count, plain

_LARGEST = 9e18  # what a bigint holds
_LONGEST = {"Name": 1000, "ISU_CD": 255}  # as tb_meta holds them
_NUMBERS = ("Open", "High", "Low", "Close", "Volume", "Changes", "Stocks")
_SNAPSHOT_COLUMNS = {"Code", "ISU_CD", "Name", "Market", "Marcap", "MarketId", *_NUMBERS}
_MARKETS = ("KOSPI", "KOSDAQ", "KONEX")  # "KOSDAQ GLOBAL" is a segment of KOSDAQ
_MARKET_IDS = {"STK", "KSQ", "KNX"}  # the last column: a listing that was cut short does not end in one


def snapshot_bars(listing: pd.DataFrame, meta_ids: dict[str, int], session: date) -> pd.DataFrame:
    """The listing's bars (BAR_COLUMNS), as traded that day, with ``changes`` (won) and ``stocks`` (shares).

    A share without a close is left out.
    """
    numbers = {name.lower(): pd.to_numeric(listing[name], errors="coerce").astype(float) for name in _NUMBERS}
    bars = pd.DataFrame(
        {
            "meta_id": listing["Code"].map(meta_ids),
            "ticker": listing["Code"],
            "trade_date": pd.Timestamp(session),
            **numbers,
            "basis_date": pd.Timestamp(session),
        }
    )
    known = bars[bars["meta_id"].notna() & bars["close"].notna()]
    return without_halt_zeros(known.astype({"meta_id": int})).reset_index(drop=True)


def snapshot_definitions(listing: pd.DataFrame) -> pd.DataFrame:
    """The listing as definitions, with tb_meta's columns; the first row of a code that is there twice."""
    marketcap = pd.to_numeric(listing["Marcap"], errors="coerce").astype(float)
    market = listing["Market"].astype(str).str.partition(" ")[0]
    return pd.DataFrame(
        {
            "ticker": listing["Code"],
            "name": _texts(listing["Name"], _LONGEST["Name"]),
            "isin": _texts(listing["ISU_CD"], _LONGEST["ISU_CD"]),
            "security_type": "STOCK",
            "asset_class": "EQUITY",
            "iso_code": "KR",
            "market": market.where(market.isin(_MARKETS)),
            "marketcap": marketcap.where(marketcap.between(0, _LARGEST)),
        }
    ).drop_duplicates("ticker")


def _texts(column: "pd.Series[Any]", longest: int) -> "pd.Series[Any]":
    """What each field says, as a line of text; None where it is no text."""
    return column.map(lambda field: (plain(field, longest) or None) if isinstance(field, str) else None).astype(object)


def shares_of(listing: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``listing`` with a share's code. Raises SourceUnavailable where it is none, or was cut short."""
    missing = _SNAPSHOT_COLUMNS - set(listing.columns)
    if missing or listing.empty:
        raise SourceUnavailable(f"KRX's listing is not one: {len(listing)} rows, without {sorted(missing)}")
    if listing["MarketId"].iloc[-1] not in _MARKET_IDS:
        raise SourceUnavailable(f"KRX's listing ends in the middle of row {len(listing)}")
    shares = listing[listing["Code"].str.fullmatch(r"[0-9A-Z]{6}", na=False)]
    if shares.empty:
        rows = count(len(listing), "row")
        raise SourceUnavailable(f"KRX's listing is not one: none of its {rows} has a share's code")
    return shares
