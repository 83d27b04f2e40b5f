"""How each source writes a ticker. The database keeps it as the exchange's listing writes it.

US listings (Nasdaq's files of NASDAQ, NYSE and AMEX; 6,890 symbols of 2026-08-22) and what Yahoo calls the same paper:

    listing    Yahoo     what it is
    MSFT       MSFT      a plain symbol; Nasdaq's own warrants (AACIW), units (AACIU) and rights (BACCR) are plain too
    BRK/A      BRK-A     a share class; NYSE's own spelling BRK.A is read as well
    ABR^D      ABR-PD    preferred stock, series D (and the notes and equity units that NYSE lists in its way)
    TY^        TY-P      preferred stock without a series
    RAC/WS     RAC-WT    a warrant
    X/U        X-UN      a unit: no NYSE or AMEX share class is called U
    X/R        X-RI      a right: nor R
    BRK-B      BRK-B     already Yahoo's spelling, as Insight-Invest v2 kept it
    "ECC    "  ECC       some symbols come padded with blanks

Yahoo publishes no such table: -P and the classes are proven by its pages, -WT, -UN and -RI are its practice. A symbol
that it does not know after all ends as NotFound for that ticker alone.

Korean codes are six characters, text: five digits and a check character that is mostly a digit, or letters in the
fifth place (0126Z0) and, for preferred stock, the sixth (00104K). Yahoo adds .KS for KOSPI and .KQ for KOSDAQ, and does
not carry KONEX.
"""

import re
from contextlib import suppress
from types import MappingProxyType
from typing import Final

from include.insight_invest.errors import NotFound, UniverseError

# Yahoo Finance help, "Exchanges and data providers": Korea Stock Exchange .KS, KOSDAQ .KQ; KONEX is not listed there.
# KRX's snapshots call KOSDAQ's premium segment a market of its own.
_KOREAN_SUFFIX: Final = MappingProxyType({"KOSPI": ".KS", "KOSDAQ": ".KQ", "KOSDAQ GLOBAL": ".KQ"})
_KRX_CODE: Final = re.compile(r"[0-9]{4}[0-9A-Z]{2}")
_US_SYMBOL: Final = re.compile(r"(?P<root>[A-Z]+)(?:(?P<mark>[/.^])(?P<tail>[A-Z/.]*))?")
_YAHOO_SYMBOL: Final = re.compile(r"[A-Z]+-[A-Z]{1,3}")  # no listing writes a hyphen; Insight-Invest v2 kept Yahoo's
_US_TAIL: Final = MappingProxyType({"WS": "WT", "U": "UN", "R": "RI"})


def yahoo_symbol(ticker: str, iso_code: str, market: str | None) -> str:
    """How Yahoo writes ``ticker``, a share listed in the country ``iso_code`` (US, KR), in Korea on ``market``.

    Raises NotFound where Yahoo does not carry it, UniverseError where ticker, country or market cannot be right.
    """
    if iso_code == "KR":
        return _yahoo_korean(krx_code(ticker), market)
    if iso_code == "US":
        return _yahoo_us(ticker.strip())
    raise UniverseError(f"{ticker}: iso_code is {iso_code!r}, and must be US or KR")


def require_symbol(ticker: str, iso_code: str) -> None:
    """Raise UniverseError where no listing of the country ``iso_code`` (US, KR) writes a share as ``ticker``."""
    if iso_code == "KR":
        if krx_code(ticker) != ticker:
            raise UniverseError(f"KRX writes {ticker} in capitals")
        return
    with suppress(NotFound):  # a paper that Yahoo does not carry is one all the same
        _yahoo_us(ticker)


def krx_code(text: str) -> str:
    """The six-character code of a Korean share, with its leading zeros and letters.

    Raises UniverseError for anything else; a code without its zeros is not padded, because 5930 may be 005930, or the
    rest of another damaged code, and a wrong guess stores one share's prices under another's name.
    """
    code = text.strip().upper()
    if _KRX_CODE.fullmatch(code):
        return code
    if re.fullmatch(r"[0-9]{1,5}(\.0)?", code):
        raise UniverseError(
            f"the Korean code {code!r} lost its leading zeros (a spreadsheet took it for a number): "
            "write all six characters, as text"
        )
    raise UniverseError(f"{text!r} is not a Korean code: six characters, such as 005930, 00104K or 0126Z0")


def _yahoo_korean(code: str, market: str | None) -> str:
    if market == "KONEX":
        raise NotFound("Yahoo does not carry KONEX")
    suffix = _KOREAN_SUFFIX.get(market or "")
    if suffix is None:
        raise UniverseError(f"{code}: market is {market!r}, and must be one of KOSPI, KOSDAQ, KONEX")
    return code + suffix


def _yahoo_us(symbol: str) -> str:
    if _YAHOO_SYMBOL.fullmatch(symbol):
        return symbol
    parts = _US_SYMBOL.fullmatch(symbol)
    if parts is None:
        raise UniverseError(f"{symbol!r} is not a US symbol as its listing writes it, such as MSFT, BRK/A or ABR^D")
    root, mark, tail = parts["root"], parts["mark"], parts["tail"]
    if mark is None:
        return root
    if mark == "^" and len(tail) <= 1:
        return f"{root}-P{tail}"
    if mark != "^" and (tail in _US_TAIL or len(tail) == 1):
        return f"{root}-{_US_TAIL.get(tail, tail)}"
    raise NotFound(f"{symbol}: how Yahoo writes the ending {mark}{tail} is not known")
