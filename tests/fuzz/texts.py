"""Damage to lines of CSV and XML: fields, delimiters, columns, lines and tags."""

import re
from collections.abc import Callable
from random import Random

from tests.fuzz.values import token

_FIELD = re.compile(r"\d{4}-\d\d-\d\d|-?\d[\d.]*|\b[A-Z]{3,6}\b")
_NAME = re.compile(r"\b[A-Za-z_]{4,}\b")


def damaged_text(text: str, rng: Random) -> str:
    """``text`` with one to three operations."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        text = rng.choice(_OPERATIONS)(text, rng)
    return text


def _field(text: str, rng: Random) -> str:
    return _substituted(_FIELD, text, rng, token(rng))


def _fields(text: str, rng: Random) -> str:
    for _ in range(8):
        text = _field(text, rng)
    return text


def _name(text: str, rng: Random) -> str:
    return _substituted(_NAME, text, rng, rng.choice(("", "x", "Close", "observation", token(rng))))


def _every_name(text: str, rng: Random) -> str:
    names = _NAME.findall(text)
    return text.replace(rng.choice(names), rng.choice(("", "Other", "date"))) if names else text


def _substituted(pattern: re.Pattern[str], text: str, rng: Random, new: str) -> str:
    found = list(pattern.finditer(text))
    if not found:
        return text + new
    place = rng.choice(found)
    return text[: place.start()] + new + text[place.end() :]


def _lines(text: str, rng: Random) -> str:
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        return text
    place = rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            del lines[place]
        case 1:
            lines.insert(place, lines[place])
        case 2:
            lines[1:] = rng.sample(lines[1:], len(lines) - 1)
        case 3:
            lines = lines[: place + 1]
        case 4:
            lines = [lines[0], *lines[place:]]
        case _:
            lines[place] = lines[place][: rng.randrange(len(lines[place]) + 1)]
    return "".join(lines)


def _delimiters(text: str, rng: Random) -> str:
    old = rng.choice((",", "|", '"', "=", ">", "<", "/", "\n", "."))
    new = rng.choice(("", ";", "\t", old * 2, "\x00", "&"))
    if rng.random() < 0.3:
        return text.replace(old, new)
    place = text.find(old, rng.randrange(max(1, len(text))))
    return text if place < 0 else text[:place] + new + text[place + len(old) :]


def _column(text: str, rng: Random) -> str:
    """One column of every line says the same wrong thing."""
    for delimiter in ("|", ","):
        if delimiter in text:
            new, place = token(rng), rng.randrange(1, 16)
            rows = [line.split(delimiter) for line in text.split("\n")]
            return "\n".join(
                delimiter.join([*row[:place], new, *row[place + 1 :]]) if place < len(row) else delimiter.join(row)
                for row in rows
            )
    return _field(text, rng)


_OPERATIONS: tuple[Callable[[str, Random], str], ...] = (
    _field,
    _field,
    _field,
    _fields,
    _name,
    _every_name,
    _lines,
    _lines,
    _delimiters,
    _column,
)
