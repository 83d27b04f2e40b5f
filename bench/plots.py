"""The plots, drawn in the peers' environment: ``python -m bench.plots FILE FOLDER``."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib.pyplot as plt

OURS, PSQL, OTHERS = "#1f6f8b", "#444444", "#b8c4c8"
NAMES = {"ours": "this store", "psql": "psql \\copy", "to_sql": "pandas.to_sql", "sqlalchemy": "SQLAlchemy upsert",
         "adbc": "ADBC", "unchanged": "this store, nothing new"}  # fmt: skip
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
    title = f"Into tb_bar with its primary key, {case['rows']:,} rows ({case['part_rows']:,} of them by the slow ones)"
    return _bars(title, "rows a second (logarithmic); the line is from the slowest round to the fastest", part | whole)


def _daily(case: Mapping[str, Any]) -> Any:
    """Milliseconds of everybody for a day."""
    times = {name: [one["seconds"] * 1000 for one in rounds] for name, rounds in case["rounds"].items()}
    title = f"{case['rows']:,} tickers × 1 new session into {case['stored']['rows']:,} bars"
    return _bars(title, "milliseconds until the commit is back (logarithmic)", times, ascending=False)


def _updater(case: Mapping[str, Any]) -> Any:
    """The updater's peak memory over the number of tickers."""
    figure, axes = plt.subplots(figsize=(7, 3.2))
    tickers = [one["tickers"] for one in case["runs"]]
    axes.plot(
        tickers, [one["peak_mb"] for one in case["runs"]], "o-", color=OURS, label="resident memory of the updater"
    )
    groups = [one["cgroup_peak_mb"] for one in case["runs"]]
    if all(groups):
        axes.plot(tickers, groups, "o--", color=PSQL, label="its cgroup")
    axes.axhline(512 * 1.048576, color="#c0392b", linewidth=1)
    axes.annotate("limit of the task, 512 MiB", (tickers[0], 512 * 1.048576 + 8), color="#c0392b", fontsize=9)
    axes.set(xscale="log", ylim=(0, 620), xlabel="tickers × ten years, first load", ylabel="peak, MB")
    axes.set_xticks(tickers, [f"{number:,}" for number in tickers])
    axes.minorticks_off()
    axes.legend(frameon=False, loc="lower right")
    axes.set_title("Peak memory of the updater", loc="left", fontsize=11)
    return figure


def _bars(title: str, label: str, values: Mapping[str, list[float]], *, ascending: bool = True) -> Any:
    """A horizontal bar for each, the best on top, with its median written beside it."""
    order = sorted(values, key=lambda name: median(values[name]), reverse=not ascending)
    figure, axes = plt.subplots(figsize=(7, 0.5 + 0.42 * len(order)))
    for place, name in enumerate(order):
        middle, color = (
            median(values[name]),
            OURS if name in ("ours", "unchanged") else PSQL if name == "psql" else OTHERS,
        )
        axes.barh(place, middle, color=color, height=0.6)
        axes.plot([min(values[name]), max(values[name])], [place, place], color="black", linewidth=1)
        axes.annotate(f" {middle:,.0f}", (max(middle, *values[name]), place), va="center", fontsize=9)
    axes.set_yticks(range(len(order)), [NAMES.get(name, name) for name in order])
    axes.set_xscale("log")
    axes.set_xlabel(label, fontsize=9)
    axes.set_title(title, loc="left", fontsize=11)
    lowest, highest = axes.get_xlim()
    axes.set_xlim(lowest / 1.5, highest * 2)
    return figure


def _rates(rows: int, rounds: list[dict[str, Any]]) -> list[float]:
    return [rows / one["seconds"] for one in rounds]


if __name__ == "__main__":
    main()
