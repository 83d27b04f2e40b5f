"""A universe from a CSV file, and the starter lists that ship with the project."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from include.insight_invest.errors import UniverseError
from include.insight_invest.sources.symbols import krx_code
from include.insight_invest.starter import macro_file, universe_file
from include.insight_invest.store.database import Connection
from include.insight_invest.store.universe import COLUMNS, add_series, series, upsert_definitions

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("ticker", "name", "security_type", "iso_code")
COUNTRIES = ("US", "KR")
MAXIMUM_BYTES = 50_000_000


def import_universe(connection: Connection, file: Path | None) -> tuple[int, int]:
    """Add and update the tickers of ``file``, or the starter universe; returns (new, changed). Raises UniverseError."""
    definitions = read_universe(file or universe_file())
    with connection.transaction():
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
        rows = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UniverseError(f"cannot read {file}: {error}. Nothing was imported") from None
    missing = [name for name in REQUIRED if name not in rows.columns]
    if missing:
        raise UniverseError(f"{file} lacks the column {', '.join(missing)}; it needs {', '.join(REQUIRED)}")
    rows = rows[[name for name in COLUMNS if name in rows.columns]].apply(lambda column: column.str.strip())
    _check(rows, file)
    numbers = {name: pd.to_numeric(rows[name]) for name in ("marketcap", "fee") if name in rows.columns}
    return rows.replace("", None).assign(**numbers)


def _check(rows: "pd.DataFrame", file: Path) -> None:
    import pandas as pd

    for name in ("ticker", "security_type", "iso_code"):
        if (empty := rows.index[rows[name] == ""]).size:
            raise UniverseError(f"{file}, line {empty[0] + 2}: no {name}. Nothing was imported")
    if (foreign := rows[~rows["iso_code"].isin(COUNTRIES)]).size:
        raise UniverseError(f"{file}, line {foreign.index[0] + 2}: iso_code is one of {', '.join(COUNTRIES)}")
    if (twice := rows[rows.duplicated(["iso_code", "ticker"])]).size:
        raise UniverseError(f"{file}, line {twice.index[0] + 2}: {twice.iloc[0]['ticker']} is there twice")
    for ticker in rows.loc[rows["iso_code"] == "KR", "ticker"]:
        krx_code(ticker)
    for name in ("marketcap", "fee"):
        if (
            name in rows.columns
            and pd.to_numeric(rows[name].replace("", None), errors="coerce").isna().ne(rows[name] == "").any()
        ):
            raise UniverseError(f"{file}: {name} holds something that is not a number")
