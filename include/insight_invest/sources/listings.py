"""Which shares NASDAQ, NYSE and AMEX list: Nasdaq's own screener, as the US-Stock-Symbols repository keeps it daily.

One request an exchange, a JSON list of up to 5,000 rows and 1.5 MB. Listings churn by about 44 symbols a day and flap,
so one absence is no delisting. They hold no ETFs. What kind of paper a row is, only its symbol and name say:

    ETF        "ETF", "ETN" or "exchange traded"
    NOTE       notes, debentures or bonds with a coupon (%) or a due date: listed debt, also under a preferred's symbol
    ADR        "American Depositary" (also spelt Depository), "ADS", "ADR", whatever they represent
    UNIT       a bundle that comes apart: the name ends in "Unit(s)", or says what each unit consists of, or is a
               corporate unit; the units of a limited partnership or a trust are its ordinary shares
    WARRANT    "Warrant(s)", also those to buy an ADS, or the symbol's ending /WS
    RIGHT      the name ends in "Right(s)"
    PREFERRED  "Preferred", "Preference", "Pfd", depositary shares of a US company, or NYSE's mark ^ in the symbol
    STOCK      everything else: common and ordinary shares, partnership units, closed-end funds, and about ten
               trust certificates on another company's bonds, which nothing in their names tells apart

The first rule that fits decides.
"""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from include.insight_invest.errors import SourceUnavailable, Throttled, UniverseError, UsageError
from include.insight_invest.sources.symbols import require_symbol
from include.insight_invest.wording import plain

if TYPE_CHECKING:
    import requests

URL: Final = "https://raw.githubusercontent.com/rreichel3/US-Stock-Symbols/main/{name}/{name}_full_tickers.json"
EXCHANGES: Final = ("NASDAQ", "NYSE", "AMEX")
COLUMNS: Final = ("ticker", "name", "security_type", "sector", "iso_code", "market", "marketcap")
MAX_BYTES: Final = 20_000_000  # the largest file was 1.5 MB in August 2026

QUOTE_COLUMNS: Final = ("ticker", "close", "before", "volume")

_LARGEST: Final = 9e18  # what a bigint holds
_LONGEST: Final = 1000  # of a name, as tb_meta holds it
_LONGEST_SECTOR: Final = 255
_LONGEST_SYMBOL: Final = 30
_FIELDS: Final = ("symbol", "name", "sector", "marketCap")
_QUOTED: Final = ("symbol", "lastsale", "netchange", "volume")
_NOT_A_BUNDLE: Final = r"(?i)\bL\.?P\b|\blimited partner|\bcommon units|\bpreferred|\bpreference|\bbeneficial"
_UNIT: Final = r"(?i)\bunits?\.?$|\bunits?,? (?:each )?consisting|\bcorporate units?\b"
_PREFERRED: Final = r"(?i)\b(?:preferred|preference|pfd)\b|\bdeposit[ao]ry sh"
_DEBT: Final = r"(?i)\b(?:notes?|debentures?|bonds?)\b"
_COUPON: Final = r"(?i)%|\bdue\b"


def fetch_listing(exchange: str, timeout: float) -> bytes:
    """The listing file of one of EXCHANGES, for ``parse_listing`` and ``parse_quotes``.

    ``timeout`` is in seconds, for the connection and for each wait on it. Raises UsageError for another exchange,
    Throttled on 429, SourceUnavailable where there is no file.
    """
    import requests

    if exchange not in EXCHANGES:
        raise UsageError(f"no listing for the exchange {exchange!r}; there is one for {', '.join(EXCHANGES)}")
    try:
        with requests.get(URL.format(name=exchange.lower()), timeout=timeout, stream=True) as response:
            if response.status_code == requests.codes.too_many_requests:
                raise Throttled(f"the {exchange} listing: HTTP 429")
            if response.status_code != requests.codes.ok:
                raise SourceUnavailable(f"the {exchange} listing: HTTP {response.status_code}")
            return _bounded(response, exchange)
    except requests.RequestException as error:
        # The type only: the text may hold a proxy's address with its password.
        raise SourceUnavailable(f"the {exchange} listing: {type(error).__name__}") from None


def parse_listing(body: bytes, exchange: str) -> pd.DataFrame:
    """``body``, a listing file, as COLUMNS, one row a ticker, in the file's order.

    Text columns are objects, None where the file says nothing; marketcap is in US dollars, NaN where unknown. Raises
    SourceUnavailable where it is no listing, or holds no share.
    """
    text = _texts(_rows(body, exchange), _FIELDS)
    marketcap = pd.to_numeric(text["marketCap"], errors="coerce").astype("float64")
    frame = pd.DataFrame(
        {
            "ticker": text["symbol"],
            "name": _or_none(text["name"]),
            "security_type": security_types(text["symbol"], text["name"]),
            "sector": _or_none(text["sector"].str[:_LONGEST_SECTOR]),
            "iso_code": "US",
            "market": exchange,
            # "0.00" is what the screener says when it does not know
            "marketcap": marketcap.where(marketcap.between(0, _LARGEST, inclusive="right")),
        },
        columns=COLUMNS,
    )
    frame = frame[frame["ticker"].map(_is_symbol)].drop_duplicates("ticker", ignore_index=True)
    if frame.empty:
        raise SourceUnavailable(f"the {exchange} listing is empty")
    return frame


def parse_quotes(body: bytes, exchange: str) -> pd.DataFrame:
    """What ``body``, a listing file, says of the last session, which it does not date, as QUOTE_COLUMNS.

    One row a ticker: close and the close before it ("lastsale" - "netchange") in US dollars, volume in shares; all
    positive, or all NaN where one of them is missing, or nobody traded. Raises as ``parse_listing`` does, but for a
    file without a share.
    """
    text = _texts(_rows(body, exchange), _QUOTED).apply(lambda column: column.str.replace(r"[$,]", "", regex=True))
    close, change, volume = (pd.to_numeric(text[name], errors="coerce").astype("float64") for name in _QUOTED[1:])
    frame = pd.DataFrame(
        {"ticker": text["symbol"], "close": close, "before": close - change, "volume": volume},
        columns=list(QUOTE_COLUMNS),
    )
    numbers = list(QUOTE_COLUMNS[1:])
    frame.loc[~(frame[numbers] > 0).all(axis=1), numbers] = np.nan
    return frame[frame["ticker"] != ""].drop_duplicates("ticker", ignore_index=True)


def security_types(symbol: "pd.Series[str]", name: "pd.Series[str]") -> "pd.Series[str]":
    """What kind of paper each row is, by the rules above; ``symbol`` and ``name`` are stripped text."""

    def says(pattern: str) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        return name.str.contains(pattern, regex=True).to_numpy(dtype=bool)

    def marked(text: str) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        return symbol.str.contains(re.escape(text), regex=True).to_numpy(dtype=bool)

    warrant = says(r"(?i)\bwarrants?\b") | marked("/WS")
    american = says(r"(?i)\bAmerican Deposit[ao]ry\b") | says(r"\bAD[RS]s?\b(?!-)")  # ADS-TEC is a company
    rules = {
        "ETF": says(r"\bET[FN]s?\b|(?i:\bexchange[ -]traded\b)"),
        "NOTE": says(_DEBT) & says(_COUPON) & ~says(r"(?i)\bpreferred\b"),
        "ADR": american & ~warrant & ~marked("^"),
        "UNIT": says(_UNIT) & ~says(_NOT_A_BUNDLE),
        "WARRANT": warrant,
        "RIGHT": says(r"(?i)\brights?\.?$"),
        # Bank of Nova Scotia's common stock is "Halifax Pfd 3 Ordinary Shares"
        "PREFERRED": marked("^") | (says(_PREFERRED) & ~says(r"(?i)\bordinary shares$")),
    }
    kinds = np.select(list(rules.values()), list(rules), default="STOCK")
    return pd.Series(kinds, index=name.index, dtype=object)


def _texts(rows: list[dict[str, Any]], fields: Sequence[str]) -> pd.DataFrame:
    """What the ``fields`` of each row say, as lines of text; nothing where one is no text and no number."""

    def said(value: object) -> str:
        return plain(str(value), _LONGEST) if isinstance(value, str | int | float) and value == value else ""

    return pd.DataFrame({name: [said(row.get(name)) for row in rows] for name in fields}, dtype=object)


def _is_symbol(text: str) -> bool:
    try:
        require_symbol(text, "US")
    except UniverseError:
        return False
    return len(text) <= _LONGEST_SYMBOL


def _or_none(column: "pd.Series[str]") -> "pd.Series[Any]":
    plain = column.to_numpy(dtype=object, copy=True)
    plain[plain == ""] = None
    return pd.Series(plain, index=column.index, dtype=object)


def _rows(body: bytes, exchange: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:  # HTML, half a file, not UTF-8, or brackets without an end
        raise SourceUnavailable(f"the {exchange} listing is not whole JSON ({len(body)} bytes)") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "symbol" in row for row in rows):
        raise SourceUnavailable(f"the {exchange} listing is JSON of another shape")
    return rows


def _bounded(response: "requests.Response", exchange: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(65_536):
        body += chunk
        if len(body) > MAX_BYTES:
            raise SourceUnavailable(f"the {exchange} listing is over {MAX_BYTES // 1_000_000} MB, which no listing is")
    return bytes(body)
