"""The exchanges' damaged listing files: in Yahoo's place on a day it is down, and as the source of a universe."""

import json
from collections.abc import Collection
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from include.insight_invest import sessions
from tests.fixtures.market import Market
from tests.folders import write_chart
from tests.fuzz.payloads import Payloads, rows_damage
from tests.fuzz.rounds import Round, follow, observed_run, observed_synchronisation
from tests.fuzz.us import walk
from tests.replay import Fault
from tests.replay.faults import Source

THURSDAY, FRIDAY = "2026-01-08T12:00+00:00", "2026-01-09T12:00+00:00"
TICKERS = ("AA", "BB", "CC", "DD", "EE", "FF")
EXCHANGES = ("nasdaq", "nyse", "amex")
DAYS = [str(day) for day in sessions.sessions("XNYS", date(2025, 12, 15), date(2026, 1, 8))]


def write(folder: Path) -> None:
    """A month of six shares, and the files of their exchanges as they are after Thursday's close."""
    files: dict[str, list[dict[str, Any]]] = {exchange: [] for exchange in EXCHANGES}
    for number, ticker in enumerate(TICKERS):
        bars = walk(DAYS, Random(ticker))
        write_chart(folder, ticker, bars)
        close, before, volume = bars[DAYS[-1]][3], bars[DAYS[-2]][3], bars[DAYS[-1]][4]
        files[EXCHANGES[number % 3]].append(
            {
                "symbol": ticker,
                "name": f"{ticker} Inc. Common Stock",
                "lastsale": f"${close:.2f}",
                "netchange": f"{close - before:.2f}",
                "pctchange": f"{close / before - 1:.3%}",
                "volume": str(volume),
                "marketCap": "1000000.00",
                "country": "United States",
                "ipoyear": "1999",
                "industry": "Tools",
                "sector": "Industrials",
                "url": f"/market-activity/stocks/{ticker.lower()}",
            }
        )
    place = folder / "us_listing"
    place.mkdir(parents=True)
    for exchange, rows in files.items():
        (place / f"{exchange}_full_tickers.json").write_text(json.dumps(rows))


def play(
    market: Market,
    seed: str,
    truth: None,
    *,
    recorded: dict[str, bytes],
    only: Collection[str] | None = None,
    scale: float = 1.0,
) -> Round:
    """A clean load, then ten times a run without Yahoo and five synchronisations, each with the files damaged anew."""
    what = Round(seed)
    follow(market, TICKERS, "US")
    observed_run(market, what, Payloads(seed, Source.OTHER, rows_damage), job="us-price", as_of=THURSDAY, asked=TICKERS)
    market.replay.fault(Fault.SERVER_ERROR, source="yahoo")
    settings = market.settings(attempts=1, failure_budget=1.0)
    for number in range(round(10 * scale)):
        payloads = Payloads(f"{seed} {number}", Source.LISTING, rows_damage, (), only, recorded)
        observed_run(market, what, payloads, job="us-price", as_of=FRIDAY, asked=TICKERS, settings=settings)
        for again in range(5):
            anew = Payloads(f"{seed} {number} {again}", Source.LISTING, rows_damage, (), only, recorded)
            observed_synchronisation(market, what, anew, iso_code="US", as_of=FRIDAY)
    market.replay.reset()
    return what
