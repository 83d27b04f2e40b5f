"""What a person sees: what is being measured, and at the end what it came to."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.report import GOALS, PEERS, Figures, is_met, judged
from bench.words import MEANING, NAMES

out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
_err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)

_NOISE_OF_SMALL_SIZES = ("updater_mb_per_1000_tickers",)  # of fifty tickers and a hundred

type Tell = Callable[[str], None]


@contextmanager
def progress(cases: int) -> Iterator[tuple[Tell, Callable[[], None]]]:
    """How to say what is being measured, and that a case is done; a bar on a terminal, lines elsewhere."""
    if not _err.is_terminal:
        said = ""

        def say(text: str) -> None:
            nonlocal said
            if text != said:
                print(text, file=sys.stderr, flush=True)
            said = text

        yield say, lambda: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task("", total=cases)
        yield lambda text: bar.update(task, description=text), lambda: bar.advance(task)


def show(measured: Mapping[str, Any], figures: Mapping[str, Figures]) -> None:
    """Print the figures beside what they are to be, then who was how fast."""
    quick = measured["quick"]
    table = Table("figure", title="Figures of small sizes" if quick else "Figures", title_justify="left")
    for heading in ("min", "median", "max", *(() if quick else ("goal", "is"))):
        table.add_column(heading, justify="right")
    for name, values in figures.items():
        if quick and name in _NOISE_OF_SMALL_SIZES:
            continue
        numbers = [number(values[key]) for key in ("min", "median", "max")]
        goal = () if quick else (str(GOALS.get(name, "")), is_met(name, judged(name, values)))
        table.add_row(_words(name), *numbers, *goal)
    out.print(table)
    for title, rows, rounds in races(measured["cases"]):
        out.print(_race(title, rows, rounds))


def _words(name: str) -> str:
    kind, _, peer = name.rpartition("vs_")
    called = {peer: NAMES[contestant] for contestant, peer in PEERS.items()}
    if peer in called:
        return f"times as fast as {called[peer]}, {'a day' if kind else 'first load'}"
    return MEANING.get(name, name)


def races(cases: Mapping[str, Any]) -> Iterator[tuple[str, int, dict[str, list[dict[str, Any]]]]]:
    """The cases in which several loaded the same rows: title, rows, rounds."""
    if case := cases.get("first_load"):
        yield f"First load of {case['rows']:,} rows", case["rows"], case["whole"]
        if case["part"]:
            yield f"First load of {case['part_rows']:,} rows", case["part_rows"], case["part"]
    if case := cases.get("daily"):
        yield f"{case['rows']:,} tickers × 1 session into {case['stored']['rows']:,} bars", case["rows"], case["rounds"]
    if case := cases.get("lookback"):
        yield f"{case['rows']:,} rows, four fifths of them stored", case["rows"], case["rounds"]


HEADINGS = ("rows/s", "seconds", "min", "max", "server CPU s", "WAL MB", "peak MB")


def cells(rows: int, rounds: list[dict[str, Any]]) -> list[str]:
    """A contestant's row, as HEADINGS has it."""
    seconds = sorted(one["seconds"] for one in rounds)
    middle = _median(seconds)
    cpu = [one["backend_cpu"] for one in rounds if "backend_cpu" in one]
    peak = [one["peak_mb"] for one in rounds if "peak_mb" in one]
    return [
        f"{rows / middle:,.0f}",
        number(middle),
        number(seconds[0]),
        number(seconds[-1]),
        number(_median(cpu)) if cpu else "",
        number(_median([one["wal_bytes"] / 1e6 for one in rounds])),
        f"{max(peak):,.0f}" if peak else "",
    ]


def number(value: float) -> str:
    """Three figures of it."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _median(values: list[float]) -> float:
    from statistics import median

    return median(values)


def _race(title: str, rows: int, rounds: Mapping[str, list[dict[str, Any]]]) -> Table:
    table = Table("", title=title, title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for name, measured in rounds.items():
        table.add_row(NAMES[name], *cells(rows, measured))
    return table
