"""The tables of ../shared/data/yahoo_repair (yfinance's own), as answers of Yahoo."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from include.insight_invest.sources.base import ACTION_COLUMNS, BAR_COLUMNS, Answer
from include.insight_invest.store.universe import Target

FOLDER = "yahoo_repair"
VALUES = ["open", "high", "low", "close", "volume"]
_ACTIONS = {"Stock Splits": "split", "Dividends": "dividend", "Capital Gains": "capital_gain"}


@dataclass(frozen=True)
class Table:
    """One file: ``name`` as it is called there."""

    file: Path

    @property
    def name(self) -> str:
        """``SSW-JO-1d-100x-error``."""
        return self.file.stem

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The file's columns, oldest row first, with ``day``. Quarters of an hour are laid on consecutive weekdays."""
        read = pd.read_csv(self.file)
        rows = read.rename(columns={read.columns[0]: "when"}).sort_values("when", ignore_index=True)
        if "15m" in self.name:
            return rows.assign(day=pd.bdate_range("2020-01-01", periods=len(rows)))
        return rows.assign(day=pd.to_datetime(rows["when"].str[:10]))

    @cached_property
    def bars(self) -> pd.DataFrame:
        """trade_date and VALUES."""
        values = {name: self.frame[name.capitalize()].astype(float) for name in VALUES}
        return pd.DataFrame({"trade_date": self.frame["day"], **values})

    @cached_property
    def actions(self) -> pd.DataFrame:
        """ex_date, kind, value."""
        found = [
            pd.DataFrame({"ex_date": self.frame["day"], "kind": kind, "value": self.frame[column].astype(float)})
            for column, kind in _ACTIONS.items()
            if column in self.frame
        ]
        actions = pd.concat(found, ignore_index=True)
        return actions[actions["value"] > 0].reset_index(drop=True)

    def answer(self, target: Target) -> Answer:
        """The whole table, quoted on its last day, in money that has no hundredths."""
        named = {"meta_id": target.meta_id, "ticker": target.ticker, "basis_date": self.frame["day"].max()}
        return Answer(
            source="yahoo",
            currency="USD",
            bars=self.bars.assign(**named)[list(BAR_COLUMNS)],
            actions=self.actions.assign(**named)[list(ACTION_COLUMNS)],
            asked=[target],
        )


def tables(data: Path) -> list[tuple[Table, Table]]:
    """Every table with what it should be: a damaged one with the mended one, another one with itself."""
    files = sorted((data / FOLDER).glob("*.csv"))
    mended = {file.stem.removesuffix("-fixed"): Table(file) for file in files if file.stem.endswith("-fixed")}
    return [(table, mended.get(table.name, table)) for table in map(Table, files)]
