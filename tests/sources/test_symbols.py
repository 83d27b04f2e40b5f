"""How Yahoo and KRX write a ticker."""

import csv
import gzip
import json
from pathlib import Path

import pytest

from include.insight_invest.errors import NotFound, UniverseError
from include.insight_invest.sources.symbols import krx_code, yahoo_symbol


@pytest.mark.parametrize(
    ("ticker", "market", "symbol"),
    [
        ("MSFT", "NASDAQ", "MSFT"),
        ("BRK/A", "NYSE", "BRK-A"),
        ("BRK.B", "NYSE", "BRK-B"),
        ("BF/B", None, "BF-B"),
        ("BRK-B", None, "BRK-B"),  # Yahoo's own spelling, as v2 kept it
        ("ABR^D", "NYSE", "ABR-PD"),
        ("PSA^U", "NYSE", "PSA-PU"),  # series U of a preferred stock, not a unit
        ("TY^", "NYSE", "TY-P"),
        ("RAC/WS", "NYSE", "RAC-WT"),
        ("RAC.WS", "NYSE", "RAC-WT"),
        ("RAC/U", "NYSE", "RAC-UN"),
        ("RAC/R", "NYSE", "RAC-RI"),
        ("AACIW", "NASDAQ", "AACIW"),
        ("ECC           ", "NYSE", "ECC"),
    ],
)
def test_yahoo_writes_a_us_ticker(ticker: str, market: str | None, symbol: str) -> None:
    assert yahoo_symbol(ticker, "US", market) == symbol


@pytest.mark.parametrize(
    ("ticker", "market", "symbol"),
    [
        ("005930", "KOSPI", "005930.KS"),
        ("005935", "KOSPI", "005935.KS"),
        ("00104K", "KOSPI", "00104K.KS"),
        ("0126Z0", "KOSDAQ", "0126Z0.KQ"),
        ("196170", "KOSDAQ GLOBAL", "196170.KQ"),
    ],
)
def test_yahoo_writes_a_korean_code(ticker: str, market: str, symbol: str) -> None:
    assert yahoo_symbol(ticker, "KR", market) == symbol


def test_yahoo_does_not_carry_konex() -> None:
    with pytest.raises(NotFound, match="Yahoo does not carry KONEX"):
        yahoo_symbol("076340", "KR", "KONEX")


@pytest.mark.parametrize("ticker", ["RAC/CL", "RAC/WS/A", "BAC^L.CL"])  # called; warrants of class A
def test_an_unknown_ending_is_not_guessed(ticker: str) -> None:
    with pytest.raises(NotFound, match=r"how Yahoo writes the ending .* is not known"):
        yahoo_symbol(ticker, "US", "NYSE")


@pytest.mark.parametrize(
    ("ticker", "iso_code", "market", "message"),
    [
        ("005930", "KR", None, "market is None, and must be one of KOSPI, KOSDAQ, KONEX"),
        ("005930", "KR", "NYSE", "market is 'NYSE'"),
        ("7203", "JP", "TSE", "iso_code is 'JP', and must be US or KR"),
        ("brk/a", "US", "NYSE", "not a US symbol as its listing writes it"),
        ("", "US", "NYSE", "not a US symbol"),
        ("5930", "KR", "KOSPI", "lost its leading zeros"),
    ],
)
def test_a_wrong_universe_row_is_named(ticker: str, iso_code: str, market: str | None, message: str) -> None:
    with pytest.raises(UniverseError, match=message):
        yahoo_symbol(ticker, iso_code, market)


@pytest.mark.parametrize(
    ("text", "code"), [("005930", "005930"), ("0126Z0", "0126Z0"), (" 00104k ", "00104K"), ("000020", "000020")]
)
def test_krx_code_keeps_zeros_and_letters(text: str, code: str) -> None:
    assert krx_code(text) == code


@pytest.mark.parametrize("text", ["5930", "20", "5930.0"])
def test_a_code_without_its_zeros_is_refused_not_padded(text: str) -> None:
    with pytest.raises(UniverseError, match="lost its leading zeros"):
        krx_code(text)


@pytest.mark.parametrize("text", ["", "A005930", "005930.KS", "삼성전자", "٠٠٥٩٣٠"])
def test_what_is_no_korean_code_is_refused(text: str) -> None:
    with pytest.raises(UniverseError, match="is not a Korean code"):
        krx_code(text)


def test_every_us_listing_symbol_has_a_yahoo_symbol_of_its_own(shared_data: Path) -> None:
    files = sorted((shared_data / "us_listing").glob("*.json.gz"))
    symbols = [row["symbol"] for path in files for row in json.loads(gzip.decompress(path.read_bytes()))]
    assert len(symbols) > 6000
    assert len({yahoo_symbol(symbol, "US", None) for symbol in symbols}) == len(symbols)


def test_every_korean_listing_code_has_a_yahoo_symbol_of_its_own(shared_data: Path) -> None:
    with (shared_data / "krx_listing" / "krx-2026-03-19.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Market"] != "KONEX"]
    assert len(rows) > 2500
    assert all(krx_code(row["Code"]) == row["Code"] for row in rows)
    assert len({yahoo_symbol(row["Code"], "KR", row["Market"]) for row in rows}) == len(rows)
