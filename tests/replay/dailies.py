"""Daily histories as CSV, whatever their columns are called."""

import csv
import gzip
import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tests.replay.bars import NEW_YORK, PRICES, SEOUL, Dividend, Recording, Split, Venue, ratio
from tests.replay.data import Library

_COLUMNS = {"date": "day", "adj close": "adjclose"} | dict(
    zip(
        ("날짜", "시가", "고가", "저가", "종가", "거래량"),
        ("day", "open", "high", "low", "close", "volume"),
        strict=True,
    )
)
DOLLARS = {
    "currency": "USD",
    "exchangeName": "NMS",
    "fullExchangeName": "NasdaqGS",
    "instrumentType": "EQUITY",
    "exchangeTimezoneName": "America/New_York",
}
WON = DOLLARS | {
    "currency": "KRW",
    "exchangeName": "KSC",
    "fullExchangeName": "KSE",
    "exchangeTimezoneName": "Asia/Seoul",
}


def american(library: Library, symbol: str, today: date) -> list[Recording]:
    """Histories of a US symbol: us_daily's, then the one of yahoo_vintages that was there ``today``."""
    files = {path.name: path for path in library.files("us_daily")}
    names = (f"luisgrivas-{symbol}.csv", f"zipline-{symbol}.csv.gz")
    found = [library.read(files[name], read_dollars) for name in names if name in files]
    return found + vintage(library, symbol, today, read_dollars)


def vintage(library: Library, symbol: str, today: date, read: Callable[[Path], Recording]) -> list[Recording]:
    """Of several recordings of one history (``SYMBOL@commit.csv``) the newest that was there ``today``.

    They carry dividend-adjusted prices only: their close and adjusted close are the same.
    """
    paths = [path for path in library.files("yahoo_vintages") if path.name.startswith(f"{symbol}@")]
    found = sorted((library.read(path, read) for path in paths), key=lambda recording: int(recording.days[-1]))
    return [recording for recording in found if recording.days[-1] <= today.toordinal()][-1:]


def read_dollars(path: Path) -> Recording:
    """A US history."""
    return _read(path, NEW_YORK, DOLLARS)


def read_won(path: Path) -> Recording:
    """A Korean history, as Naver quotes it: prices in today's shares, volume as traded."""
    return _read(path, SEOUL, WON, volume_as_traded=True)


def _read(path: Path, venue: Venue, meta: dict[str, Any], *, volume_as_traded: bool = False) -> Recording:
    """One CSV, quoted in the shares of its last day.

    zipline's split column is a record only: its prices and dividends are in the shares of the file's end already.
    """
    columns = _columns(path)
    days = [_day(text) for text in columns["day"]]
    at = [venue.opening(day) for day in days]
    values = {
        name: np.array([float(text) if text else np.nan for text in columns[name]], np.float64)
        for name in (*PRICES, "volume", "adjclose")
        if name in columns
    }
    events = list(zip(days, at, columns.get("split", ()), columns.get("dividend", ()), strict=False))
    return Recording(
        days=np.array([day.toordinal() for day in days], np.int64),
        at=np.array(at, np.int64),
        values=values,
        basis=days[-1],
        volume_as_traded=volume_as_traded,
        splits=tuple(Split(day, when, *ratio(float(split))) for day, when, split, _ in events if float(split) != 1),
        dividends=tuple(Dividend(day, when, float(cash), days[-1], {}) for day, when, _, cash in events if float(cash)),
        meta=meta,
    )


def _columns(path: Path) -> dict[str, tuple[str, ...]]:
    """The file's columns by their names here, by day."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    names = [_COLUMNS.get(name.lower(), name.lower()) for name in head]
    rows.sort(key=lambda row: row[names.index("day")])
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def _day(text: str) -> date:
    return date.fromisoformat(text[:10] if "-" in text else text[:8])


def last_weekday(day: date) -> date:
    """``day``, or the Friday before it."""
    return day - timedelta(days=max(0, day.weekday() - 4))
