"""``make bundle``: what is uploaded to MWAA, in ``build/``, and a table of it."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from include.insight_invest.errors import InsightError
from local import ROOT, shown
from local.bundle.build import LANES, Bundle, build

TARGET = ROOT / "build"

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Build, and say what was made. Returns the exit code: 2 where it could not be made, and why."""
    parser = argparse.ArgumentParser(prog="python -m local.bundle", description=__doc__)
    parser.add_argument("--lane", choices=LANES, default="3.2.1", help="MWAA's version of Airflow")
    parser.add_argument("--settings", type=Path, help="lines NAME=value that startup.sh is to export")
    options = parser.parse_args()
    try:
        settings = options.settings.read_text(encoding="utf-8") if options.settings else ""
        with console.status("the bundle"):
            made = build(ROOT, TARGET, options.lane, settings)
    except (InsightError, OSError) as error:
        console.print(f"make bundle stopped: {error}", style="red", markup=False)
        return 2
    _show(made, options.lane)
    return 0


def _show(made: Bundle, lane: str) -> None:
    table = Table(title=f"For MWAA {lane}, commit {made.commit[:12]}, in {shown(TARGET)}/", title_justify="left")
    table.add_column("file")
    table.add_column("bytes", justify="right")
    table.add_column("what")
    for path, size in made.files.items():
        table.add_row(path, f"{size:,}", f"{made.entries} files of plugins/ and include/" * (path == "plugins.zip"))
    console.print(table)
    if made.differences:
        console.print("Not the commit: tracked files were taken as they lie here, untracked ones were left out:")
        for line in made.differences:
            console.print(f"  {line}", style="yellow", markup=False)


if __name__ == "__main__":
    sys.exit(main())
