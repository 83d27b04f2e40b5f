"""build/bench.json: every figure, and what they come to. Only the standard library: the plots are drawn elsewhere."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import ROOT
from bench.figures import speed_ratio, summary

FILE = ROOT / "build" / "bench.json"

type Case = Mapping[str, Any]
type Figures = dict[str, float]  # min, median, max

# Contestants by the names that the ratios have.
PEERS = {
    "psql": "psql_copy",
    "to_sql": "pandas_to_sql",
    "execute_values": "execute_values",
    "sqlalchemy": "sqlalchemy",
    "adbc": "adbc",
    "dlt": "dlt",
}


@dataclass(frozen=True)
class Goal:
    """What a figure is to be: at least, or at most, this."""

    limit: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '<'} {self.limit:g}"

    def is_met(self, figure: float) -> bool:
        """Whether ``figure`` reaches it."""
        return figure >= self.limit if self.at_least else figure < self.limit


GOALS = {
    "first_load_vs_copy": Goal(0.6, at_least=True),
    "unchanged_vs_copy": Goal(1.0, at_least=True),
    "wal_kb_per_10k_unchanged": Goal(100),
    "rows_touched_unchanged": Goal(1),
    "daily_10k_seconds": Goal(0.25),
    "daily_vs_execute_values": Goal(3, at_least=True),
    "daily_vs_sqlalchemy": Goal(10, at_least=True),
    "lookback_50k_seconds": Goal(0.6),
    "watermark_ms": Goal(50),
    "prices_ms": Goal(5),
    "recent_day_ms": Goal(50),
    "old_day_ms": Goal(50),
    "macro_ms": Goal(20),
    "job_share_daily": Goal(0.05),
    "updater_peak_mb": Goal(300),
}


def judged(name: str, values: Mapping[str, float]) -> float:
    """The one of ``values`` that counts: the median, and of the updater's memory the largest."""
    return values["max" if name == "updater_peak_mb" else "median"]


def is_met(name: str, figure: float) -> str:
    """Whether the goal of ``name`` is, in a word; nothing where there is none."""
    return "" if name not in GOALS else "met" if GOALS[name].is_met(figure) else "missed"


# What a reader of the JSON needs no list of cases for.
_OTHERS = ("rows_touched_unchanged", "prices_ms", "history_ms", "recent_day_ms", "old_day_ms", "macro_ms",
           "job_share_first_load", "job_share_daily", "updater_cgroup_peak_mb",
           "updater_mb_per_1000_tickers")  # fmt: skip


def figures(cases: Mapping[str, Case]) -> dict[str, Figures]:
    """What the cases that were run come to: min, median and max of each figure."""
    found: dict[str, Figures] = {}
    if case := cases.get("first_load"):
        found |= _of_first_load(case)
    if case := cases.get("daily"):
        rounds = case["rounds"]
        found["daily_10k_seconds"] = summary(_seconds(rounds["ours"]))
        found |= _ratios("daily_vs_", rounds)
    if case := cases.get("lookback"):
        found["lookback_50k_seconds"] = summary(_seconds(case["rounds"]["ours"]))
    for case in (cases.get("watermark"), cases.get("reads")):
        for name, rounds in case["rounds"].items() if case else ():
            reads = [read for one in rounds for read in one["reads_ms"]]
            found[f"{name.replace(' ', '_')}_ms"] = summary(reads)
    if case := cases.get("job"):
        for name, rounds in case["rounds"].items():
            found[f"job_share_{name.replace(' ', '_')}"] = summary([one["share"] for one in rounds])
    if case := cases.get("updater"):
        found |= _of_updater(case)
    return found


def _of_first_load(case: Case) -> dict[str, Figures]:
    whole, part = case["whole"], case["part"]
    wal = [one["wal_bytes"] / case["rows"] * 10_000 / 1000 for one in whole["unchanged"]]
    touched = [one["rows_touched"] for one in whole["unchanged"]]
    found = {
        "first_load_vs_copy": speed_ratio(_seconds(whole["ours"]), _seconds(whole["psql"])),
        "unchanged_vs_copy": speed_ratio(_seconds(whole["unchanged"]), _seconds(whole["psql"])),
        "rows_touched_unchanged": summary(touched),
        "wal_kb_per_10k_unchanged": summary(wal),
    }
    # The rows of the whole where a peer loads them all; psql loads both, and its whole counts.
    return found | (_ratios("vs_", part) if part else {}) | _ratios("vs_", whole)


def _of_updater(case: Case) -> dict[str, Figures]:
    found = {
        "updater_peak_mb": summary([one["peak_mb"] for one in case["runs"]]),
        "updater_mb_per_1000_tickers": summary([case["mb_per_1000_tickers"]]),
    }
    if groups := [one["cgroup_peak_mb"] for one in case["runs"] if one["cgroup_peak_mb"]]:
        found["updater_cgroup_peak_mb"] = summary(groups)
    return found


def _ratios(prefix: str, rounds: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Figures]:
    ours = _seconds(rounds["ours"])
    return {f"{prefix}{PEERS[name]}": speed_ratio(ours, _seconds(rounds[name])) for name in PEERS if name in rounds}


def _seconds(rounds: Iterable[Mapping[str, Any]]) -> list[float]:
    return [one["seconds"] for one in rounds]


def ratios(found: Mapping[str, Figures]) -> dict[str, float]:
    """One number for each figure: its median, and of the updater's memory the largest."""
    return {name: round(judged(name, values), 4) for name, values in found.items() if name not in _OTHERS}


def read(file: Path = FILE) -> dict[str, Any]:
    """What was measured so far; nothing where there is no file."""
    return json.loads(file.read_text()) if file.exists() else {}


def known(*, quick: bool, file: Path = FILE) -> dict[str, Any]:
    """What was measured so far in a quick or in a full run."""
    found = read(file)
    return found if found.get("quick") == quick else read(_put_aside(file, quick=quick))


def _put_aside(file: Path, *, quick: bool) -> Path:
    return file.with_stem(f"{file.stem}-{'quick' if quick else 'full'}")


def write(measured: Mapping[str, Any], file: Path = FILE) -> None:
    """Write ``measured`` ({"quick", "machine", "versions", "settings", "cases"}) and what it comes to."""
    found = figures(measured["cases"])
    if (before := read(file)) and before["quick"] != measured["quick"]:
        file.replace(_put_aside(file, quick=before["quick"]))  # a quick run does not cost the figures of a full one
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"ratios": ratios(found), "figures": found, **measured}, indent=1) + "\n")
    part.replace(file)
