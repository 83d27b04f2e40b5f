"""Recorded chart bodies: what Yahoo itself answered on some day."""

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from tests.replay.bars import NEW_YORK, PRICES, Dividend, Recording, Split, Venue
from tests.replay.data import Library

_SYMBOL = re.compile(rb'"symbol"\s*:\s*"([^"]+)"')
_INTRADAY = re.compile(rb'"dataGranularity"\s*:\s*"(?!1d")')
_META_BYTES = 4096  # Yahoo writes meta first: the symbol is in the first bytes, and 500 files are indexed in 20 ms


def recordings(library: Library, symbol: str) -> list[Recording]:
    """Every recorded chart body of ``symbol`` with daily bars, the longest first, then the most recent."""
    paths = library.files("yahoo_chart")
    index = library.once(("charts", paths), lambda: _index(paths))
    found = [chart for path in index.get(symbol, ()) if (chart := library.read(path, _chart)) is not None]
    return sorted(found, key=lambda chart: (len(chart.days), chart.basis), reverse=True)


def _index(paths: Sequence[Path]) -> dict[str, list[Path]]:
    index: dict[str, list[Path]] = {}
    for path in paths:
        with path.open("rb") as file:
            head = file.read(_META_BYTES)
        symbol = _SYMBOL.search(head)
        if symbol and not _INTRADAY.search(head):
            index.setdefault(symbol[1].decode(), []).append(path)
    return index


def _chart(path: Path) -> Recording | None:
    """One recorded body: {"_date": when, "body": Yahoo's answer}. None where it has no daily bars."""
    recorded = json.loads(path.read_bytes())
    result = (recorded["body"]["chart"]["result"] or [{}])[0]
    if not result.get("timestamp"):
        return None
    meta = result["meta"]
    venue = venue_of(meta)
    basis = venue.day(parsedate_to_datetime(recorded["_date"]).timestamp())
    at = np.array(result["timestamp"], np.int64)
    quote = result["indicators"]["quote"][0]
    values = {name: np.array(quote[name], np.float64) for name in (*PRICES, "volume")}
    if "adjclose" in result["indicators"]:
        values["adjclose"] = np.array(result["indicators"]["adjclose"][0]["adjclose"], np.float64)
    days = np.array([venue.day(instant).toordinal() for instant in result["timestamp"]], np.int64)
    days, once = np.unique(days, return_index=True)
    splits, dividends = _events(result.get("events", {}), venue, basis)
    return Recording(
        days, at[once], {name: column[once] for name, column in values.items()}, basis, False, splits, dividends, meta
    )


def _events(events: dict[str, Any], venue: Venue, basis: date) -> tuple[tuple[Split, ...], tuple[Dividend, ...]]:
    splits = [
        Split(venue.day(event["date"]), event["date"], event["numerator"], event["denominator"])
        for event in events.get("splits", {}).values()
    ]
    dividends = [
        Dividend(venue.day(event["date"]), event["date"], event["amount"], basis, _extra(event))
        for event in events.get("dividends", {}).values()
    ]
    return tuple(splits), tuple(dividends)


def _extra(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("amount", "date")}


def venue_of(meta: dict[str, Any]) -> Venue:
    """A symbol's time zone and session, as its meta tells them (regular session of the day of the recording)."""
    zone = ZoneInfo(meta["exchangeTimezoneName"])
    regular = meta.get("currentTradingPeriod", {}).get("regular")
    if regular is None:
        return Venue(zone, NEW_YORK.opens, NEW_YORK.seconds)
    opens: time = datetime.fromtimestamp(regular["start"], zone).time()
    return Venue(zone, opens, regular["end"] - regular["start"])
