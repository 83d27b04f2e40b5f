"""``python -m tests.chaos``: the whole campaign, in a PostgreSQL of its own; exit code 1 where anything was not whole.

Of the short scenarios every event is a point of the kill campaign, of Korea's, which have hundreds, every second. The
other blows fall on every few events of each.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from local import postgres
from tests.chaos.campaign import Blow, Outcome, Point, points, strike
from tests.chaos.crash import crashing
from tests.chaos.scenarios import SCENARIOS, THURSDAY
from tests.chaos.stage import Stage
from tests.chaos.victims import Victims
from tests.replay import Replay

# Of how many events one is a point.
EVERY = {Blow.KILL: 1, Blow.TERMINATE: 12, Blow.SIGTERM: 12, Blow.CRASH: 20}
EVERY_KOREA = {Blow.KILL: 2, Blow.TERMINATE: 30, Blow.SIGTERM: 30, Blow.CRASH: 40}
TOLD_EVERY = 25  # points, where no bar moves
SHM = Path("/dev/shm")
_SHOWN_CHARACTERS = 2000


def main() -> int:
    """Run the campaign, or what of it the command line names, and show what became of it."""
    named, blows = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that its server ends, too
    console = Console(width=None if sys.stdout.isatty() else 120)
    began = time.monotonic()
    outcomes: list[Outcome] = []
    with _stage() as (stage, server), _progress(console) as progress:
        plan = [point for name in named for blow in blows for point in _points(stage, name, blow)]
        task = progress.add_task("", total=len(plan))
        crash = crashing(server)
        with suppress(KeyboardInterrupt):  # what was done by then is shown
            for point in plan:
                progress.update(task, description=f"{point.scenario.name}, {point.blow}")
                outcomes.append(strike(stage, point, crash))
                if outcomes[-1].wrong:
                    wrong = "\n  ".join(outcomes[-1].wrong)
                    progress.console.print(f"{point}:\n  {wrong[:_SHOWN_CHARACTERS]}", markup=False)
                progress.advance(task)
                if not console.is_terminal and len(outcomes) % TOLD_EVERY == 0:
                    console.print(f"{len(outcomes)} of {len(plan)} points, {time.monotonic() - began:.0f} s: {point}")
    _show(console, outcomes, time.monotonic() - began)
    return int(any(outcome.wrong for outcome in outcomes))


def _asked() -> tuple[list[str], list[Blow]]:
    """The scenarios and the blows that the command line names, all where it names none."""
    blows = {blow.name.lower(): blow for blow in Blow}
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="*", help=f"some of them: {', '.join((*SCENARIOS, *blows))}")
    asked = parser.parse_args().what
    if unknown := [name for name in asked if name not in SCENARIOS and name not in blows]:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join((*SCENARIOS, *blows))}")
    named = [name for name in SCENARIOS if name in asked]
    return named or list(SCENARIOS), [blow for name, blow in blows.items() if name in asked] or list(Blow)


def _points(stage: Stage, name: str, blow: Blow) -> Iterator[Point]:
    every = EVERY_KOREA if name.startswith("kr") else EVERY
    return points(stage, SCENARIOS[name], blow, every=every[blow])


@contextmanager
def _stage() -> Iterator[tuple[Stage, Path]]:
    """In memory where there is a place for it: no machine crashes here, so nothing depends on the disk."""
    with tempfile.TemporaryDirectory(prefix="chaos-", dir=SHM if SHM.is_dir() else None) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = folder / "postgres"
        url = postgres.start(server)
        try:
            with Replay([], datetime.fromisoformat(THURSDAY)) as replay, Victims(folder, replay.env) as victims:
                yield Stage(url, replay, victims, folder), server
        finally:
            postgres.stop(server)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def _show(console: Console, outcomes: Sequence[Outcome], seconds: float) -> None:
    table = Table(title=f"Disturbed runs, {seconds:,.0f} s", title_justify="left")
    for column in (
        "scenario",
        "blow",
        "points",
        "whole",
        "not whole",
        "exit codes",
        "seconds: median",
        "max",
    ):
        table.add_column(column, justify="left" if column in ("scenario", "blow", "exit codes") else "right")
    kinds = dict.fromkeys((outcome.point.scenario.name, outcome.point.blow) for outcome in outcomes)
    for name, blow in kinds:
        some = [one for one in outcomes if (one.point.scenario.name, one.point.blow) == (name, blow)]
        wrong = sum(bool(one.wrong) for one in some)
        took = [one.seconds for one in some]
        table.add_row(
            name,
            blow,
            str(len(some)),
            str(len(some) - wrong),
            str(wrong),
            ", ".join(sorted({str(one.code) for one in some})),
            f"{statistics.median(took):.2f}",
            f"{max(took):.2f}",
        )
    console.print(table)
    wrong = sum(bool(one.wrong) for one in outcomes)
    kills = sum(one.point.blow is Blow.KILL for one in outcomes)
    console.print(f"{len(outcomes)} points, {kills} of them SIGKILL: {len(outcomes) - wrong} whole, {wrong} not")


if __name__ == "__main__":
    sys.exit(main())
