"""Data folders written out in full, laid out as the replay serves them."""

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

RECORDED = "Fri, 30 Jan 2026 22:00:00 GMT"
NEW_YORK = ZoneInfo("America/New_York")
_KRX = (  # the typing error is KRX's
    "Code,ISU_CD,Name,Market,Dept,Close,ChangeCode,Changes,ChagesRatio,Open,High,Low,Volume,Amount,Marcap,Stocks,"
    "MarketId"
)
_MARKET_IDS = {"KOSPI": "STK", "KOSDAQ": "KSQ", "KONEX": "KNX"}

Bar = tuple[float, float, float, float, int]  # open, high, low, close, volume


def opening(day: str) -> int:
    """The time stamp of a US daily bar: 09:30 in New York, UTC seconds."""
    return int(datetime.combine(date.fromisoformat(day), time(9, 30), NEW_YORK).timestamp())


def write_chart(
    folder: Path,
    symbol: str,
    bars: Mapping[str, Bar],
    *,
    splits: Mapping[str, tuple[int, int]] | None = None,
    dividends: Mapping[str, float] | None = None,
    recorded: str = RECORDED,
    currency: str = "USD",
) -> None:
    """A Yahoo chart of ``bars`` {day: (open, high, low, close, volume)}, as quoted on the day ``recorded``."""
    events = {
        "splits": {
            str(opening(day)): {
                "date": opening(day),
                "numerator": new,
                "denominator": old,
                "splitRatio": f"{new}:{old}",
            }
            for day, (new, old) in (splits or {}).items()
        },
        "dividends": {
            str(opening(day)): {"date": opening(day), "amount": amount} for day, amount in (dividends or {}).items()
        },
    }
    columns = list(zip(*bars.values(), strict=True))
    quote = dict(zip(("open", "high", "low", "close", "volume"), columns, strict=True))
    meta = {
        "currency": currency,
        "symbol": symbol,
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": "America/New_York",
        "dataGranularity": "1d",
    }
    result = {
        "meta": meta,
        "timestamp": [opening(day) for day in bars],
        "events": {kind: found for kind, found in events.items() if found},
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
    }
    body = {"chart": {"result": [result], "error": None}}
    _write(folder / "yahoo_chart" / f"demo-{symbol}.json", json.dumps({"_date": recorded, "body": body}))


def write_krx(folder: Path, day: str, shares: Sequence[tuple[Any, ...]]) -> None:
    """KRX's listing of ``day``: rows of (code, name, market, open, high, low, close, volume, base price, shares).

    Without the last two the base price is the close in the newest listing before that has the code, the shares are 100.
    """
    lines = ["," + _KRX]
    before = _closes_before(folder, day)
    for number, (code, name, market, opened, high, low, close, volume, *more) in enumerate(shares):
        base, stocks = [*more, *[before.get(code, close), 100][len(more) :]]
        changes = close - base if isinstance(close, int) and isinstance(base, int) else 0
        lines.append(
            f"{number},{code},KR7{code}000,{name},{market},,{close},1,{changes},0.0,{opened},{high},{low},{volume},0,"
            f"1000000,{stocks},{_MARKET_IDS[market.split()[0]]}"
        )
    _write(folder / "krx_listing" / f"krx-{day}.csv", "\n".join(lines) + "\n")


def _closes_before(folder: Path, day: str) -> dict[str, int]:
    """Each code's close in the newest of the folder's listings before ``day``."""
    closes: dict[str, int] = {}
    for path in sorted((folder / "krx_listing").glob("krx-????-??-??.csv")):
        if path.stem < f"krx-{day}":
            with path.open(encoding="utf-8", newline="") as file:
                rows = csv.DictReader(file)
                closes |= {row["Code"]: int(row["Close"]) for row in rows if row["Close"].isdigit()}
    return closes


def write_naver(folder: Path, code: str, bars: Mapping[str, tuple[int, int, int, int, int]]) -> None:
    """Naver's chart of ``bars`` {day: (open, high, low, close, volume)}."""
    items = "".join(
        f'<item data="{day.replace("-", "")}|{"|".join(str(number) for number in bar)}" />\n'
        for day, bar in bars.items()
    )
    chart = (
        f'<chartdata symbol="{code}" name="x" count="{len(bars)}" timeframe="day" precision="0">\n{items}</chartdata>'
    )
    document = f'<?xml version="1.0" encoding="EUC-KR" ?>\n<protocol>\n{chart}\n</protocol>\n'
    _write(folder / "naver" / f"{code}.sise.xml", document)


def write_fred(folder: Path, series: str, releases: Sequence[tuple[str, str, str]]) -> None:
    """FRED's releases of ``series``: rows of (date, realtime_start, value)."""
    ordered = sorted(releases)
    rows = []
    for (day, start, value), after in zip(ordered, [*ordered[1:], ("", "", "")], strict=True):
        end = str(date.fromordinal(date.fromisoformat(after[1]).toordinal() - 1)) if after[0] == day else "9999-12-31"
        rows.append({"date": day, "realtime_start": start, "realtime_end": end, "value": value})
    _write(folder / "fred" / f"{series}.all_releases.json", json.dumps({"observations": rows}))


def write_listing(folder: Path, *rows: tuple[str, str, str, str]) -> None:
    """Nasdaq's listing: rows of (symbol, lastsale, netchange, volume); NYSE and AMEX list nothing."""
    for exchange, shares in (("nasdaq", rows), ("nyse", ()), ("amex", ())):
        listed = [dict(zip(("symbol", "lastsale", "netchange", "volume"), row, strict=True)) for row in shares]
        _write(folder / "us_listing" / f"{exchange}_full_tickers.json", json.dumps(listed))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
