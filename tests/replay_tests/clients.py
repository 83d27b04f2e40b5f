"""The real client libraries, called as the product calls them, and small data folders written out in full."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yfinance
from yfinance.data import YfData

KEY = "0123456789abcdef0123456789abcdef"  # any 32 lower-case letters and digits are a key here
COLUMNS = ["Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits"]


def history(symbol: str, start: str, end: str) -> list[tuple[Any, ...]]:
    """Rows of (ISO date, *COLUMNS) from yfinance, ``end`` exclusive, asked for anew."""
    YfData().cache_get.cache_clear()
    yfinance.config.debug.hide_exceptions = False
    frame: pd.DataFrame = yfinance.Ticker(symbol).history(start=start, end=end, auto_adjust=False, actions=True)
    return [(str(day.date()), *row) for day, row in zip(frame.index, frame[COLUMNS].to_numpy().tolist(), strict=True)]


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def new_york_open(day: str) -> int:
    """The time stamp of a US daily bar in winter: 09:30 EST."""
    return int(at(f"{day}T14:30").timestamp())


def write_chart(folder: Path, symbol: str, recorded: str, closes: dict[str, float], **events: dict[str, Any]) -> None:
    """A recorded chart body of January sessions: open = close - 1, high = close + 1, low = close - 2, volume 1,000."""
    quote = {
        "open": [close - 1 for close in closes.values()],
        "high": [close + 1 for close in closes.values()],
        "low": [close - 2 for close in closes.values()],
        "close": list(closes.values()),
        "volume": [1000] * len(closes),
    }
    meta = {
        "currency": "USD",
        "symbol": symbol,
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": "America/New_York",
        "dataGranularity": "1d",
    }
    result = {
        "meta": meta,
        "timestamp": [new_york_open(day) for day in closes],
        "events": events,
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": list(closes.values())}]},
    }
    place = folder / "yahoo_chart"
    place.mkdir(exist_ok=True)
    body = {"chart": {"result": [result], "error": None}}
    (place / f"demo-{symbol}.json").write_text(json.dumps({"_date": recorded, "body": body}))
