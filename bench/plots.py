"""The plots, drawn in the peers' environment: ``python -m bench.plots FILE FOLDER``."""

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

from bench.report import GOALS
from bench.words import NAMES

OURS, PSQL, OTHERS = "#1f6f8b", "#444444", "#8fa3a9"
plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 130})


def main() -> None:
    """Draw what there is."""
    file, folder = Path(sys.argv[1]), Path(sys.argv[2])
    cases = json.loads(file.read_text())["cases"]
    for name, draw in (("first_load", _first_load), ("daily", _daily), ("updater", _updater)):
        if name in cases:
            figure = draw(cases[name])
            figure.savefig(folder / f"benchmarks-{name.replace('_', '-')}.png", bbox_inches="tight")
            plt.close(figure)


def _first_load(case: Mapping[str, Any]) -> Any:
    """Rows a second of everybody: of all rows for the fast ones, of a part of them for the others."""
    whole = {name: _rates(case["rows"], rounds) for name, rounds in case["whole"].items()}
    part = {name: _rates(case["part_rows"], rounds) for name, rounds in case["part"].items() if name not in whole}
    title = f"First load of {case['rows']:,} rows into tb_bar (* of {case['part_rows']:,})"
    label = "rows a second (logarithmic; more is better); the line: slowest to fastest round"
    return _dots(title, label, part | whole, marked=part)


def _daily(case: Mapping[str, Any]) -> Any:
    """Milliseconds of everybody for a day."""
    times = {name: [one["seconds"] * 1000 for one in rounds] for name, rounds in case["rounds"].items()}
    title = f"{case['rows']:,} tickers × 1 new session into {case['stored']['rows']:,} bars"
    label = "ms until the commit is back (logarithmic; less is better); the line: fastest to slowest round"
    return _dots(title, label, times, ascending=False)


def _updater(case: Mapping[str, Any]) -> Any:
    """The updater's peak memory over the number of tickers."""
    figure, axes = plt.subplots(figsize=(7, 3.2))
    tickers = [one["tickers"] for one in case["runs"]]
    axes.plot(
        tickers, [one["peak_mb"] for one in case["runs"]], "o-", color=OURS, label="resident memory of the updater"
    )
    groups = [one["cgroup_peak_mb"] for one in case["runs"]]
    if all(groups):
        axes.plot(tickers, groups, "o--", color=PSQL, label="counted by its cgroup")
    axes.axhline(512 * 1.048576, color="#c0392b", linewidth=1)
    axes.annotate("limit of the task, 512 MiB", (tickers[0], 512 * 1.048576 + 8), color="#c0392b", fontsize=9)
    goal = GOALS["updater_peak_mb"].limit
    axes.axhline(goal, color="#999999", linewidth=1)
    axes.annotate(f"goal, {goal:g} MB", (tickers[0], goal + 8), color="#666666", fontsize=9)
    axes.set(xscale="log", ylim=(0, 620), xlabel="tickers × ten years, first load", ylabel="peak, MB")
    axes.set_xticks(tickers, [f"{number:,}" for number in tickers])
    axes.minorticks_off()
    axes.legend(frameon=False, loc="lower right")
    axes.set_title("Peak memory of the updater", loc="left", fontsize=11)
    return figure


def _dots(
    title: str, label: str, values: Mapping[str, list[float]], *, ascending: bool = True, marked: Collection[str] = ()
) -> Any:
    """A dot for the median of each, the best on top, its number beside it; a line from the least to the most."""
    order = sorted(values, key=lambda name: median(values[name]), reverse=not ascending)
    figure, axes = plt.subplots(figsize=(7, 0.5 + 0.42 * len(order)))
    for place, name in enumerate(order):
        middle, least, most = median(values[name]), min(values[name]), max(values[name])
        color = OURS if name in ("ours", "unchanged") else PSQL if name == "psql" else OTHERS
        axes.plot([least, most], [place, place], color=color, linewidth=2, alpha=0.5)
        axes.plot(middle, place, "o", color=color, markersize=8)
        axes.annotate(f"  {middle:,.0f}", (most, place), va="center", fontsize=9)
    axes.set_yticks(range(len(order)), [NAMES[name] + (" *" if name in marked else "") for name in order])
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="x", which="major", color="#e5e5e5")
    axes.set_axisbelow(True)
    axes.set_xlabel(label, fontsize=8)
    axes.set_title(title, loc="left", fontsize=11)
    lowest, highest = axes.get_xlim()
    axes.set_xlim(lowest / 1.5, highest * 2.5)
    return figure


def _rates(rows: int, rounds: list[dict[str, Any]]) -> list[float]:
    return [rows / one["seconds"] for one in rounds]


if __name__ == "__main__":
    main()
