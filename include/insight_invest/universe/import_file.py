"""A universe from a CSV file, and the starter lists that ship with the project."""

import csv
import logging
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from include.insight_invest.errors import UniverseError
from include.insight_invest.sources.symbols import require_symbol
from include.insight_invest.starter import macro_file, universe_file
from include.insight_invest.store import symbols
from include.insight_invest.store.database import Connection
from include.insight_invest.store.universe import COLUMNS, add_series, series, upsert_definitions
from include.insight_invest.wording import count

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

REQUIRED = ("ticker", "name", "security_type", "iso_code")
COUNTRIES = ("US", "KR")
NUMBERS = ("marketcap", "fee")
_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?")
_LARGEST = 9e18  # what a bigint holds
_LONGEST = {"ticker": 30, "name": 1000, "market": 20, "security_type": 255, "asset_class": 255, "sector": 255}
MAXIMUM_BYTES = 50_000_000


def import_universe(
    connection: Connection,
    file: Path | None,
    *,
    reused: Collection[str] = (),
    tell: Callable[[str], None] = log.warning,
) -> tuple[int, int]:
    """Add and update the tickers of ``file``, or the starter universe; returns (new, changed). Raises UniverseError.

    An earlier symbol of a share that has another now is left out, and ``tell`` is told so: it would be the same share
    a second time. Those of ``reused`` are added: they are another share's by now.
    """
    definitions = read_universe(file or universe_file())
    with connection.transaction():
        for iso_code, rows in definitions.groupby("iso_code"):
            for old, (new, since) in symbols.renamed(connection, str(iso_code), rows["ticker"].tolist()).items():
                if old in reused:
                    continue
                tell(f"{old} is called {new} since {since}: not added (is it another share now? --reused {old})")
                definitions = definitions[(definitions["ticker"] != old) | (definitions["iso_code"] != iso_code)]
        return upsert_definitions(connection, definitions)


def seed_series(connection: Connection) -> int:
    """Bring the starter list into an empty tb_macro; returns how many. A list somebody has made is left alone."""
    with connection.transaction():
        if series(connection):
            return 0
        return import_series(connection, macro_file())


def import_series(connection: Connection, file: Path) -> int:
    """Add the series of ``file`` (CSV with fred, description) that tb_macro lacks; returns how many."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = [(row["fred"].strip(), row["description"].strip()) for row in csv.DictReader(lines)]
    return add_series(connection, rows)


def read_universe(file: Path) -> "pd.DataFrame":
    """The file's rows with tb_meta's columns; everything is text, so that 005930 stays 005930. Raises UniverseError."""
    import pandas as pd

    try:
        if file.stat().st_size > MAXIMUM_BYTES:
            raise UniverseError(f"{file} is larger than {MAXIMUM_BYTES:,} bytes")
        rows = _rows(file)
    except (OSError, ValueError, csv.Error) as error:
        raise UniverseError(f"cannot read {file}: {error}. Nothing was imported") from None
    missing = [name for name in REQUIRED if name not in rows.columns]
    if missing:
        raise UniverseError(f"{file} lacks the column {', '.join(missing)}; it needs {', '.join(REQUIRED)}")
    rows = rows[[name for name in COLUMNS if name in rows.columns]]
    _check(rows, file)
    numbers = {name: pd.to_numeric(rows[name]) for name in NUMBERS if name in rows.columns}
    return rows.replace("", None).assign(**numbers)


def _rows(file: Path) -> "pd.DataFrame":
    """The file's cells as text without blanks around them; the index is each row's line in the file."""
    import pandas as pd

    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) < len(header):
            raise UniverseError(f"{file} has two columns of one name")
        rows: dict[int, list[str]] = {}
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise UniverseError(
                    f"{file}, line {reader.line_num}: {count(len(cells), 'value')}, the header has "
                    f"{count(len(header), 'name')}. "
                    "Nothing was imported"
                )
            rows[reader.line_num] = [cell.strip() for cell in cells]
    return pd.DataFrame.from_dict(rows, orient="index", columns=header, dtype=object)


def _check(rows: "pd.DataFrame", file: Path) -> None:
    def refuse(bad: "pd.Series[bool]", what: str) -> None:
        if bad.any():
            line = bad.idxmax()
            raise UniverseError(f"{file}, line {line}: {what.format(**rows.loc[line])}. Nothing was imported")

    for name in ("ticker", "security_type", "iso_code"):
        refuse(rows[name] == "", f"no {name}")
    for name, longest in _LONGEST.items():
        if name in rows.columns:
            refuse(rows[name].str.len() > longest, f"{name} is longer than {longest} characters")
            refuse(rows[name].str.contains("\x00", regex=False), f"{name} holds a NUL")
    refuse(~rows["iso_code"].isin(COUNTRIES), f"iso_code is one of {', '.join(COUNTRIES)}")
    refuse(rows.duplicated(["iso_code", "ticker"]), "{ticker} is there twice")
    for line, ticker, iso_code in zip(rows.index, rows["ticker"], rows["iso_code"], strict=True):
        try:
            require_symbol(ticker, iso_code)
        except UniverseError as error:
            raise UniverseError(f"{file}, line {line}: {error}. Nothing was imported") from None
    for name in NUMBERS:
        if name in rows.columns:
            refuse((rows[name] != "") & ~rows[name].map(_is_number), f"{name} is not a number")


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and float(text) < _LARGEST
