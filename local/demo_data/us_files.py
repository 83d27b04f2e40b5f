"""Writes the US market's files: Yahoo charts, the Nasdaq and NYSE listings, and the universe to start with."""

import gzip
import json
from collections.abc import Mapping
from datetime import date
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from include.insight_invest.sessions import session
from local.demo_data.us import COMPANIES, EXCHANGE, chart, history

# The universe is read on any day of a demonstration, so it names only what is listed by the first of them.
UNIVERSE_DAY: Final = date(2026, 10, 1)


def write(folder: Path, redate: bool) -> None:
    """Writes ``yahoo_chart``, ``us_listing`` and ``universe.csv`` into ``folder``.

    Facebook came to the market 196 sessions before the data end, so re-dated it is listed from 2027-03-24: it is in
    the listing of that day and in no earlier one, and not in the universe, which is read on any day.
    """
    histories = {company.ticker: history(company.ticker, redate) for company in COMPANIES}
    (folder / "yahoo_chart").mkdir()
    for ticker, traded in histories.items():
        recorded = session(EXCHANGE, traded.dates[-1]).close
        document = {
            "_source": f"bokeh-sampledata stocks.{ticker} (Quandl WIKI Prices)" + (", re-dated" if redate else ""),
            "_licence": "public domain",
            "_date": format_datetime(recorded, usegmt=True),
            "body": chart(traded),
        }
        text = json.dumps(document, separators=(",", ":"))
        (folder / "yahoo_chart" / f"demo-{ticker}.json").write_text(text, encoding="utf-8")
    first_days = {ticker: traded.dates[0] for ticker, traded in histories.items()}
    _write_listings(folder / "us_listing", first_days)
    _write_universe(folder / "universe.csv", first_days)


def _write_listings(folder: Path, first_days: Mapping[str, date]) -> None:
    """A file of each exchange for each day on which a ticker is new; it names the tickers listed by then.

    None of them is at AMEX, of which a listing without a share would be none: its file repeats the NYSE's rows.
    """
    folder.mkdir()
    for day in sorted(set(first_days.values())):
        for exchange, nasdaq in (("nasdaq", True), ("nyse", False), ("amex", False)):
            rows = [
                {
                    "symbol": company.ticker,
                    "name": company.name,
                    "lastsale": "",  # whoever serves the files gives them the prices of the day
                    "netchange": "",
                    "pctchange": "",
                    "volume": "",
                    "marketCap": "",
                    "country": "United States",
                    "ipoyear": company.ipo_year,
                    "industry": company.industry,
                    "sector": company.sector,
                    "url": f"/market-activity/stocks/{company.ticker.lower()}",
                }
                for company in COMPANIES
                if company.nasdaq == nasdaq and first_days[company.ticker] <= day
            ]
            packed = gzip.compress((json.dumps(rows, indent=2) + "\n").encode(), mtime=0)
            (folder / f"{exchange}_full_tickers-{day}.json.gz").write_bytes(packed)


def _write_universe(path: Path, first_days: Mapping[str, date]) -> None:
    lines = ["ticker,name,security_type,iso_code,market"]
    lines += [
        f'{company.ticker},"{company.name}",STOCK,US,{"NASDAQ" if company.nasdaq else "NYSE"}'
        for company in COMPANIES
        if first_days[company.ticker] <= UNIVERSE_DAY
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
