"""What FRED knew when: every release of a series, from a recorded history of releases or from dated snapshots.

Dates are ISO 8601 text throughout: they compare as they sort, and year 9999 is a day like any other.
"""

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from tests.replay.data import Library

FOREVER = "9999-12-31"
_SNAPSHOT = re.compile(r"(\d{4}-\d{2}-\d{2})\.(.+)\.csv")


class Release(NamedTuple):
    """One value of one observation date, and the days (both inclusive) on which it was the current one."""

    date: str
    start: str
    end: str
    value: str


@dataclass(frozen=True)
class Series:
    """All releases of a series in FRED's order, its vintage dates, and its description where one was recorded."""

    id: str
    releases: tuple[Release, ...]
    vintages: tuple[str, ...]
    info: dict[str, str]


def load(library: Library, series_id: str, today: str) -> Series | None:
    """``series_id`` as FRED knows it on ``today``; None where no file knows it, or nothing of it was released yet."""
    files = {path.name: path for path in library.files("fred")}
    info = _info(library, files.get(f"{series_id}.info.json"))
    recorded = files.get(f"{series_id}.all_releases.json")
    if recorded is not None:
        releases = library.read(recorded, _recorded)
    else:
        snapshots = {
            match[1]: files[name] for name in files if (match := _SNAPSHOT.fullmatch(name)) and match[2] == series_id
        }
        paths = [snapshots[day] for day in sorted(snapshots)]
        releases = library.derive(("fred", series_id), paths, lambda: tuple(_compare(paths)))
    known = tuple(_as_known(releases, today))
    if not known:
        return None
    return Series(series_id, known, tuple(sorted({release.start for release in known})), info)


def _info(library: Library, path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    return {name: str(value) for name, value in library.read(path, _json)["seriess"][0].items()}


def _json(path: Path) -> dict[str, list[dict[str, str]]]:
    parsed: dict[str, list[dict[str, str]]] = json.loads(path.read_bytes())
    return parsed


def _recorded(path: Path) -> tuple[Release, ...]:
    rows = _json(path)["observations"]
    return tuple(Release(row["date"], row["realtime_start"], row["realtime_end"], row["value"]) for row in rows)


def _compare(paths: Sequence[Path]) -> Iterable[Release]:
    """Releases from snapshots, oldest first: a value that differs from the snapshot before is a revision.

    A date that a later snapshot does not have keeps its value: FRED's window shrank, or the file left holes out.
    """
    current: dict[str, Release] = {}
    past: list[Release] = []
    for path in paths:
        taken = path.name[:10]
        for day, value in _rows(path):
            before = current.get(day)
            if before is not None and _same(before.value, value):
                continue
            if before is not None:
                past.append(before._replace(end=_day_before(taken)))
            current[day] = Release(day, taken, FOREVER, value)
    return sorted([*past, *current.values()])


def _rows(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(day, value.strip() or ".") for day, value in list(csv.reader(file))[1:]]


def _same(one: str, other: str) -> bool:
    return one == other or (one != "." and other != "." and float(one) == float(other))


def _day_before(day: str) -> str:
    return str(date.fromisoformat(day) - timedelta(days=1))


def _as_known(releases: Iterable[Release], today: str) -> Iterable[Release]:
    """Releases until ``today``; what was superseded later is still the current value."""
    for release in releases:
        if release.start <= today:
            yield release if release.end < today else release._replace(end=FOREVER)
