"""``python -m bench``: measure, write build/bench.json and, unless quick, docs/benchmarks.md with its plots."""

import argparse
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from bench import ROOT, report, shown
from bench.child import PEERS, ChildFailed
from bench.document import write_document
from bench.machine import machine, versions
from bench.race import Bench, market_name
from bench.registry import CASES
from bench.server import FOLDER, Server, serving
from bench.sizes import FULL, QUICK, Sizes
from include.insight_invest.errors import InsightError

BUSY = 0.7  # processes that run beside
PLOTS = {True: ROOT / "build", False: ROOT / "docs"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for. Each case is in the file when it is done: a run that was stopped can be resumed."""
    asked = _arguments(arguments)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        if not PEERS.exists():
            raise ChildFailed("the peers' environment is not there: `make bench` makes it")
        measured = report.read() if asked.document else _measure_alone(asked)
        figures = report.figures(measured["cases"])
        shown.show(measured, figures)
        _draw(measured)
    except (ChildFailed, InsightError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: stopped; --resume goes on with the cases that are missing", file=sys.stderr)
        return 130
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes; writes into build/ alone")
    parser.add_argument("--only", type=_cases, help=f"some cases, into the same file: {','.join(CASES)}")
    parser.add_argument("--resume", action="store_true", help="only the cases that build/bench.json lacks")
    parser.add_argument("--rounds", type=int, help="how often everybody goes")
    parser.add_argument("--fresh", action="store_true", help="make the stored market anew")
    parser.add_argument("--document", action="store_true", help="measure nothing: write the documents from the file")
    return parser.parse_args(arguments)


def _cases(text: str) -> list[str]:
    names = text.split(",")
    if unknown := sorted(set(names) - set(CASES)):
        raise argparse.ArgumentTypeError(f"there is no {', '.join(unknown)}; there are {', '.join(CASES)}")
    return [name for name in CASES if name in names]


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _measure_alone(asked: argparse.Namespace) -> dict[str, Any]:
    sizes = QUICK if asked.quick else FULL
    if asked.rounds:
        sizes = replace(sizes, job_rounds=min(asked.rounds, sizes.job_rounds))
    cases = report.known(quick=asked.quick).get("cases", {}) if asked.only or asked.resume else {}
    names = asked.only or [name for name in CASES if not (asked.resume and name in cases)]
    with _alone(FOLDER), serving() as server:
        if asked.fresh:
            server.drop(market_name(sizes))
        return measure(server, sizes, names, cases, quick=asked.quick, rounds=asked.rounds or sizes.rounds)


def measure(
    server: Server,
    sizes: Sizes,
    names: Sequence[str],
    cases: dict[str, Any],
    *,
    quick: bool,
    rounds: int,
    file: Path = report.FILE,
) -> dict[str, Any]:
    """Run the cases ``names``; what is then known, ``cases`` included, which is in ``file`` as well."""
    measured = {
        "quick": quick,
        "machine": machine(),
        "versions": versions(),
        "settings": server.settings(),
        "cases": cases,
    }
    if (busy := os.getloadavg()[0]) > BUSY:
        print(f"bench: this machine is busy (load {busy:.1f}): measure again when it is quiet", file=sys.stderr)
    with shown.progress(len(names)) as (tell, done):
        bench = Bench(server, sizes, rounds, tell)
        for name in names:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            load = round(os.getloadavg()[0], 2)
            cases[name] = {"at": at, "load_before": load, "asked_rounds": rounds, **CASES[name](bench)}
            report.write(measured, file)
            done()
    return measured


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One benchmark at a time: two would measure each other. Raises ChildFailed where one runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "alone").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ChildFailed("another benchmark is running in this checkout") from None
        yield


def _draw(measured: dict[str, Any]) -> None:
    """The plots, and of a whole full run the document."""
    folder = PLOTS[measured["quick"]]
    missing = [name for name in CASES if name not in measured["cases"]]
    if missing and not measured["quick"]:
        print(f"bench: docs/ is written when all cases are there; missing: {', '.join(missing)}", file=sys.stderr)
        return
    command = [str(PEERS), "-m", "bench.plots", str(report.FILE), str(folder)]
    subprocess.run(
        command, check=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "HOME": str(FOLDER), "MPLBACKEND": "Agg"}
    )
    if not measured["quick"]:
        write_document(report.read(), folder / "benchmarks.md")
    written = f"{report.FILE.relative_to(ROOT)} and {folder.relative_to(ROOT)}/benchmarks-*.png"
    shown.out.print(f"Written: {written}{'' if measured['quick'] else ', docs/benchmarks.md'}")
    if measured["quick"]:
        shown.out.print("Small sizes: the goals are those of `make bench`, on a quiet machine.")


if __name__ == "__main__":
    sys.exit(main())
