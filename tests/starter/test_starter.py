"""The lists that ship with the project hold together, and agree with the real listings."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Final

from include.insight_invest import starter
from include.insight_invest.sources.symbols import yahoo_symbol

CATEGORIES: Final = {"growth", "labour", "prices", "rates", "credit", "money", "housing", "sentiment", "markets"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_macro_list_names_each_series_once() -> None:
    series = rows(starter.macro_file())
    assert list(series[0]) == ["fred", "description", "category"]
    assert len(series) == 57
    assert len({row["fred"] for row in series}) == 57
    assert {row["category"] for row in series} == CATEGORIES
    assert all(row["description"] for row in series)


def test_the_series_everybody_asks_for_are_there() -> None:
    asked_for = {
        "GDP",
        "GDPC1",
        "CPIAUCSL",
        "CPILFESL",
        "PCEPI",
        "UNRATE",
        "PAYEMS",
        "ICSA",
        "FEDFUNDS",
        "DGS10",
        "DGS2",
    }
    asked_for |= {"T10Y2Y", "M2SL", "SP500", "VIXCLS", "BAMLC0A0CM"}
    assert asked_for <= {row["fred"] for row in rows(starter.macro_file())}


def test_the_universe_is_well_formed() -> None:
    universe = rows(starter.universe_file())
    assert list(universe[0]) == ["ticker", "name", "security_type", "asset_class", "sector", "iso_code", "market"]
    assert Counter(row["iso_code"] for row in universe) == {"US": 42, "KR": 22}
    assert len({(row["iso_code"], row["ticker"]) for row in universe}) == len(universe)
    assert {row["market"] for row in universe} == {"NASDAQ", "NYSE", "KOSPI", "KOSDAQ"}
    assert {row["asset_class"] for row in universe} == {"EQUITY", "BOND", "COMMODITY", "REAL ESTATE", "CASH"}
    assert all(row["name"] and row["security_type"] for row in universe)


def test_yahoo_knows_every_ticker_under_one_name() -> None:
    universe = rows(starter.universe_file())
    symbols = {row["ticker"]: yahoo_symbol(row["ticker"], row["iso_code"], row["market"]) for row in universe}
    assert len(set(symbols.values())) == len(universe)
    assert symbols["BRK/B"] == "BRK-B"
    assert symbols["005930"] == "005930.KS"
    assert symbols["196170"] == "196170.KQ"


def test_korean_codes_are_those_of_the_listing(shared_data: Path) -> None:
    with (shared_data / "krx_listing" / "krx-2026-03-19.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = {row["Code"]: (row["Name"], row["Market"].removesuffix(" GLOBAL")) for row in csv.DictReader(file)}
    ours = {r["ticker"]: (r["name"], r["market"]) for r in rows(starter.universe_file()) if r["iso_code"] == "KR"}
    assert ours == {code: listed.get(code) for code in ours}


def test_us_stocks_are_those_of_the_listings(shared_data: Path) -> None:
    listed = {
        row["symbol"].strip(): (row["name"].strip(), row["sector"], path.name.split("_")[0].upper())
        for path in (shared_data / "us_listing").glob("*.json.gz")
        for row in json.loads(gzip.decompress(path.read_bytes()))
    }
    ours = {
        row["ticker"]: (row["name"], row["sector"], row["market"])
        for row in rows(starter.universe_file())
        if row["iso_code"] == "US" and row["security_type"] != "ETF"
    }
    assert ours == {ticker: listed.get(ticker) for ticker in ours}
