"""Damage that knows what a Yahoo chart is: time stamps, columns, events and money."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.values import NUMBERS, SECONDS, STRINGS, anything

DAY = 86_400


def damaged_chart(body: Any, rng: Random) -> Any:
    """``body``, a parsed chart, with one to three things wrong that only a chart can have wrong."""
    body = copy.deepcopy(body)
    try:
        result = body["chart"]["result"][0]
        for _ in range(rng.randint(1, 3)):
            rng.choice(_OPERATIONS)(result, rng)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        body["chart"] = anything(rng)  # an answer without bars, or what an operation before has left of it
    return body


def _quote(result: Any) -> dict[str, list[Any]]:
    quote: dict[str, list[Any]] = result["indicators"]["quote"][0]
    return quote


def _times(result: Any, rng: Random) -> None:
    times = result["timestamp"]
    place = rng.randrange(len(times))
    match rng.randrange(6):
        case 0:
            times[place] = rng.choice(SECONDS)
        case 1:
            times[place] = times[rng.randrange(len(times))]
        case 2:
            rng.shuffle(times)
        case 3:
            times.reverse()
        case 4:
            shift = rng.choice((-1, 1)) * rng.choice((1, 3600, DAY, 3 * DAY, 400 * DAY, 40_000 * DAY))
            result["timestamp"] = [moment + shift for moment in times]
        case _:
            times[place] = times[place] + rng.choice((-4, 1, 5, 30)) * DAY


def _values(result: Any, rng: Random) -> None:
    name = rng.choice(("open", "high", "low", "close", "volume"))
    column = _quote(result)[name]
    for _ in range(rng.choice((1, 1, 2, len(column)))):
        place = rng.randrange(len(column))
        old = column[place]
        factor = rng.choice((-1, 0, 0.001, 0.01, 0.5, 2, 100, 1e6, 1e300))
        column[place] = rng.choice((rng.choice(NUMBERS), rng.choice(STRINGS), None, old * factor))


def _columns(result: Any, rng: Random) -> None:
    quote = _quote(result)
    name = rng.choice(sorted(quote))
    match rng.randrange(6):
        case 0:
            quote[name] = [None] * len(quote[name])
        case 1:
            quote[name] = quote[name][: rng.randrange(len(quote[name]) + 1)]
        case 2:
            quote["high"], quote["low"] = quote["low"], quote["high"]
        case 3:
            factor = rng.choice((100, 0.01, -1, 1e-320, 1e300))
            quote[name] = [value * factor for value in quote[name]]
        case 4:
            quote[name] = [str(value) for value in quote[name]]
        case _:
            quote[name] = [*quote[name], 1.0]


def _splits(result: Any, rng: Random) -> None:
    at = rng.choice([*result["timestamp"][-12:], *SECONDS])
    new, old = (rng.choice((0, -1, 1, 2, 3, 4, 10, 1e-300, 1e300, None, "4", *NUMBERS)) for _ in range(2))
    split = {"date": at, "numerator": new, "denominator": old, "splitRatio": rng.choice((f"{new}:{old}", "0:0", ""))}
    result.setdefault("events", {}).setdefault("splits", {})[str(at)] = split


def _dividends(result: Any, rng: Random) -> None:
    at = rng.choice([*result["timestamp"][-12:], *SECONDS])
    amount = rng.choice((0, -0.5, 0.25, 1e308, None, "0.5", [], *NUMBERS))
    kind, name = rng.choice((("dividends", "amount"), ("capitalGains", "amount"), ("dividends", "value")))
    paid = {name: amount, "date": at} | rng.choice(({}, {"currency": rng.choice(("EUR", "GBp", "USD", *STRINGS))}))
    result.setdefault("events", {}).setdefault(kind, {})[str(at)] = paid


def _meta(result: Any, rng: Random) -> None:
    name = rng.choice(("currency", "currency", "exchangeTimezoneName", "gmtoffset", "instrumentType", "validRanges"))
    known = ("EUR", "GBp", "usd", "ZAc", "Europe/London", "Nowhere/Land", "US/Eastern", "UTC")
    result["meta"][name] = rng.choice((rng.choice(known), rng.choice(STRINGS), anything(rng)))


def _live_row(result: Any, rng: Random) -> None:
    result["timestamp"].append(result["timestamp"][-1] + rng.choice((0, 1, 3600, DAY, 5 * DAY, -DAY)))
    for column in _quote(result).values():
        column.append(rng.choice((column[-1], None, column[0])))


_OPERATIONS: tuple[Callable[[Any, Random], None], ...] = (
    _times,
    _values,
    _values,
    _columns,
    _splits,
    _dividends,
    _meta,
    _live_row,
)
