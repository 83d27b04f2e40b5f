"""Values that break parsers, as JSON trees and as text between delimiters."""

from random import Random
from typing import Any

HUGE = 10**400  # over what a float holds
STRINGS: tuple[str, ...] = (
    "",
    " ",
    "null",
    "NaN",
    "-",
    "N/A",
    "1,234.5",
    "0x10",
    "1e999",
    "\x00",
    "a\x00b",
    "\ud800",  # half of a surrogate pair: JSON can say it, UTF-8 cannot
    "\U0001f4a9\u202e\ufeff",
    "삼성전자",
    "a\r\nb\tc\x1b[31m",
    "'; drop table tb_bar; --",
    "%s{}\\",
    "<b>&amp;</b>",
    "../../etc/passwd",
    "x" * 100_000,
)
NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    1,
    0.0,
    -0.0,
    -12.5,
    5e-324,
    1e-9,
    0.005,
    1e9,
    1e15,
    1e18,
    1.7e308,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    2**64,
    HUGE,
)
SECONDS: tuple[Any, ...] = (
    0,
    -1,
    -62_135_596_801,  # the second before year 1
    4_102_444_800,  # 2100
    253_402_300_800,  # year 10,000
    9_223_372_036,  # near the last of pandas' nanoseconds
    9_300_000_000,
    1_767_900_600_000,  # milliseconds
    1_767_900_600.5,
    "1767900600",
    None,
    float("nan"),
    True,
)
DAYS: tuple[str, ...] = (
    "",
    ".",
    "0000-00-00",
    "0001-01-01",
    "1600-01-01",
    "1677-09-20",  # the day before pandas' first
    "2026-02-30",
    "2026-13-01",
    "20260108",
    "08.01.2026",
    "2026-01-08T00:00:00Z",
    "20991231",
    "2262-04-12",  # the day after pandas' last
    "2999-12-31",
    "9999-12-31",
    "12026-01-08",
    "today",
)


def scalar(rng: Random) -> Any:
    """Anything that a JSON leaf can be."""
    return rng.choice((rng.choice(NUMBERS), rng.choice(NUMBERS), rng.choice(STRINGS), None, True, False))


def anything(rng: Random) -> Any:
    """A leaf, or a small tree."""
    leaf = scalar(rng)
    return rng.choice((leaf, leaf, leaf, [], {}, [leaf], {"a": leaf}, [[leaf, None]], [leaf] * 300))


def token(rng: Random) -> str:
    """Text for where a number or a day is expected, in CSV and XML."""
    return rng.choice((str(rng.choice(NUMBERS))[:500], rng.choice(STRINGS), rng.choice(DAYS)))
