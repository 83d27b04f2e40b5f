"""``python -m tests.repair``: the confusion table; with ``--write`` also into docs/confusion.md."""

import argparse
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table as Shown

from include.insight_invest.store.database import connect
from include.insight_invest.store.migrate import upgrade
from local import postgres
from tests.repair.confusion import Confusion, confusion
from tests.repair.document import DOCUMENT, columns, document

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"


def main() -> None:
    """Run it in a PostgreSQL of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.repair", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT}")
    write = parser.parse_args().write
    if not DATA.is_dir():
        parser.error("the damaged tables are recorded data, ../shared/data beside the checkout: it is not there")
    with tempfile.TemporaryDirectory() as folder:
        url = postgres.start(Path(folder))
        try:
            upgrade(url)
            with connect(url) as connection:
                counted = confusion(connection, DATA)
        finally:
            postgres.stop(Path(folder))
    show(counted)
    if write:
        (ROOT / DOCUMENT).write_text(document(counted), encoding="utf-8")


def show(counted: list[Confusion]) -> None:
    """Print the table."""
    shown = Shown(*columns(), title="Damaged tables, and what became of them", title_justify="left")
    for row in counted:
        shown.add_row(*(str(getattr(row, name)) for name in row.__dataclass_fields__))
    Console(width=200).print(shown)


main()
