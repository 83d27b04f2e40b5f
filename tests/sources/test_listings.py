"""The US listing files: what is read from them, what kind of paper a row is, and how they fail."""

import json
from pathlib import Path

import pandas as pd
import pytest

from include.insight_invest.errors import SourceUnavailable, Throttled, UsageError
from include.insight_invest.sources import listings
from include.insight_invest.sources.listings import fetch_listing, parse_listing, security_types
from tests.replay import Fault, Replay


def listing(*rows: dict[str, str]) -> bytes:
    return json.dumps(rows).encode()


APPLE = {"symbol": "AAPL", "name": "Apple Inc. Common Stock", "marketCap": "3000000000.00", "sector": "Technology"}


def test_a_row_becomes_a_definition() -> None:
    padded = {
        "symbol": "ECC     ",
        "name": "Eagle Point Credit Company ",
        "marketCap": "5.5",
        "sector": "",
        "volume": "1",
    }
    assert parse_listing(listing(APPLE, padded), "NYSE").to_dict("records") == [
        {
            "ticker": "AAPL",
            "name": "Apple Inc. Common Stock",
            "security_type": "STOCK",
            "sector": "Technology",
            "iso_code": "US",
            "market": "NYSE",
            "marketcap": 3_000_000_000.0,
        },
        {
            "ticker": "ECC",
            "name": "Eagle Point Credit Company",
            "security_type": "STOCK",
            "sector": None,
            "iso_code": "US",
            "market": "NYSE",
            "marketcap": 5.5,
        },
    ]


@pytest.mark.parametrize("unknown", ["", "0.00", "NA"])
def test_an_unknown_market_capitalisation_is_not_a_number(unknown: str) -> None:
    assert parse_listing(listing({**APPLE, "marketCap": unknown}), "NASDAQ")["marketcap"].isna().all()


def test_a_ticker_counts_once_and_a_row_without_one_not_at_all() -> None:
    assert parse_listing(listing(APPLE, APPLE, {**APPLE, "symbol": " "}), "NASDAQ")["ticker"].tolist() == ["AAPL"]


@pytest.mark.parametrize(
    ("symbol", "name", "kind"),
    [
        ("AAPL", "Apple Inc. Common Stock", "STOCK"),
        ("BRK/A", "Berkshire Hathaway Inc.", "STOCK"),
        ("MPLX", "MPLX LP Common Units Representing Limited Partner Interests", "STOCK"),
        ("AB", "AllianceBernstein Holding L.P.  Units", "STOCK"),
        ("BHK", "Blackrock Core Bond Trust", "STOCK"),
        ("U", "Unity Software Inc. Common Stock", "STOCK"),
        ("ADSE", "ADS-TEC ENERGY PLC Ordinary Shares", "STOCK"),
        ("BNS", "Bank Nova Scotia Halifax Pfd 3 Ordinary Shares", "STOCK"),
        ("SPY", "SPDR S&P 500 ETF Trust", "ETF"),
        ("AACG", "ATA Creativity Global American Depositary Shares", "ADR"),
        ("LPL", "LG Display Co Ltd AMERICAN DEPOSITORY SHARES", "ADR"),
        ("BIDU", "Baidu Inc. ADS", "ADR"),
        ("ITUB", "Itau Unibanco Banco Holding SA American Depositary Shares (Each repstg 500 Preferred shares)", "ADR"),
        ("BSBR", "Banco Santander Brasil SA American Depositary Shares each representing one unit", "ADR"),
        (
            "RLX",
            "RLX Technology Inc. American Depositary Shares each representing the right to receive one share",
            "ADR",
        ),
        ("ABR^D", "Arbor Realty Trust 6.375% Series D Cumulative Redeemable Preferred Stock", "PREFERRED"),
        ("SCE^L", "SCE TRUST VI", "PREFERRED"),
        ("ACGLN", "Arch Capital Group Ltd. Depositary Shares each Representing a 1/1000th Interest", "PREFERRED"),
        ("OAK^A", "Brookfield Oaktree Holdings LLC 6.625% Series A Preferred Units", "PREFERRED"),
        ("F^B", "Ford Motor Company 6.20% Notes due June 1 2059", "NOTE"),
        ("ADAMK", "Adamas Trust Inc. 9.600% Senior Notes Due 2031", "NOTE"),
        ("AACIW", "Armada Acquisition Corp. III Warrant", "WARRANT"),
        ("IQMXW", "IQM Quantum Computers Oyj Warrants to purchase American Depositary Shares", "WARRANT"),
        ("RAC/WS", "Rithm Acquisition Corp.", "WARRANT"),
        ("AACIU", "Armada Acquisition Corp. III Units", "UNIT"),
        ("TBCVU", "Thunder Bridge Capital Partners V Ltd. Units", "UNIT"),
        ("XXXXU", "Example Corp. Units, each consisting of one share and one half of one Warrant", "UNIT"),
        ("NEE^S", "NextEra Energy Inc. 7.299% Corporate Units", "UNIT"),
        ("SPEGR", "Silver Pegasus Acquisition Corp Rights.", "RIGHT"),
    ],
)
def test_symbol_and_name_tell_the_kind_of_paper(symbol: str, name: str, kind: str) -> None:
    assert security_types(pd.Series([symbol]), pd.Series([name])).tolist() == [kind]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is not whole JSON"),
        (listing(APPLE, APPLE)[:100], "is not whole JSON"),
        (b"<!DOCTYPE html><html></html>", "is not whole JSON"),
        (b"\xff\xfe\xfa", "is not whole JSON"),
        (b'{"message": "moved"}', "is JSON of another shape"),
        (b'[{"ticker": "AAPL"}]', "is JSON of another shape"),
        (b"[1, 2]", "is JSON of another shape"),
        (b"[]", "listing is empty"),
    ],
)
def test_what_is_no_listing_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(SourceUnavailable, match=message):
        parse_listing(body, "NYSE")


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (
            "NASDAQ",
            {"STOCK": 3234, "WARRANT": 338, "ADR": 189, "UNIT": 177, "PREFERRED": 108, "RIGHT": 79, "NOTE": 54},
        ),
        ("NYSE", {"STOCK": 2083, "PREFERRED": 371, "ADR": 132, "NOTE": 118, "UNIT": 6, "WARRANT": 1}),
    ],
)
def test_a_real_listing_is_fetched_whole(
    replay: Replay, shared_data: Path, exchange: str, expected: dict[str, int]
) -> None:
    replay.load(shared_data)
    replay.move_clock(pd.Timestamp("2026-08-24T12:00Z").to_pydatetime())
    frame = us_listing(exchange, timeout=10)
    assert frame["security_type"].value_counts().to_dict() == expected
    assert frame["ticker"].is_unique
    assert replay.counts == {"listing": 1}


def us_listing(exchange: str, timeout: float) -> pd.DataFrame:
    return parse_listing(fetch_listing(exchange, timeout), exchange)


@pytest.fixture
def small(replay: Replay, tmp_path: Path) -> Replay:
    folder = tmp_path / "us_listing"
    folder.mkdir()
    (folder / "amex_full_tickers.json").write_bytes(listing(APPLE, {**APPLE, "symbol": "IMO"}))
    replay.load(tmp_path)
    return replay


def test_amex_is_fetched_too(small: Replay) -> None:
    assert us_listing("AMEX", timeout=5)["ticker"].tolist() == ["AAPL", "IMO"]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault.SERVER_ERROR, "HTTP 500"),
        (Fault.FORBIDDEN, "HTTP 403"),
        (Fault.DROP, "AMEX listing: "),
        (Fault.TIMEOUT, "AMEX listing: .*Timeout"),
        (Fault.TRUNCATED, "is not whole JSON"),
        (Fault.HTML, "is not whole JSON"),
        (Fault.EMPTY, "is not whole JSON"),
    ],
)
def test_a_failing_source_is_unavailable(small: Replay, fault: Fault, message: str) -> None:
    small.fault(fault, source="listing")
    with pytest.raises(SourceUnavailable, match=message):
        us_listing("AMEX", timeout=0.5)


def test_a_source_that_asks_to_slow_down_is_throttled(small: Replay) -> None:
    small.fault(Fault.TOO_MANY, source="listing")
    with pytest.raises(Throttled):
        us_listing("AMEX", timeout=5)


def test_a_missing_file_is_unavailable_not_empty(small: Replay) -> None:
    with pytest.raises(SourceUnavailable, match="HTTP 404"):
        us_listing("NYSE", timeout=5)


def test_an_endless_answer_is_cut_off(small: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "MAX_BYTES", 100)
    with pytest.raises(SourceUnavailable, match="which no listing is"):
        us_listing("AMEX", timeout=5)


def test_another_exchange_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="there is one for NASDAQ, NYSE, AMEX"):
        us_listing("KOSPI", timeout=5)
