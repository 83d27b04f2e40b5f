"""What the checks are given besides an answer, and what they say of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

PRICES = ["open", "high", "low", "close"]
VALUES = [*PRICES, "volume"]
DAY = "datetime64[ns]"
MINOR_UNIT = 100  # pence in a pound, cents in a rand
# Pence for pounds: a jump of 100, give or take a wild day.
HUNDRED, UNIT_TOLERANCE = np.log(100.0), np.log(1.25)
# More than this between two reads is no correction, and in a session nearly always an error.
WILD = np.log(4.0)
KNOWN_BARS = ["meta_id", "trade_date", *VALUES, "basis_date", "currency"]
KNOWN_ACTIONS = ["meta_id", "ex_date", "kind", "value", "basis_date"]


def typed(rows: Sequence[tuple[object, ...]], columns: Sequence[str]) -> pd.DataFrame:
    """``rows`` of a database as a frame of ``columns``, with the types that the checks count on."""
    frame = pd.DataFrame.from_records(rows, columns=list(columns))
    types = {"meta_id": int, "currency": object, "kind": object} | dict.fromkeys([*VALUES, "value"], float)
    return frame.astype({name: types.get(name, DAY) for name in columns})


@dataclass(frozen=True)
class Known:
    """What is stored of an answer's tickers.

    ``bars`` (KNOWN_BARS): those of the answer's own source, of its sessions and the last one before. ``actions``
    (KNOWN_ACTIONS): all of them. Both in the shares they were quoted in, their basis_date.
    """

    bars: pd.DataFrame = field(default_factory=lambda: typed([], KNOWN_BARS))
    actions: pd.DataFrame = field(default_factory=lambda: typed([], KNOWN_ACTIONS))


@dataclass(frozen=True)
class Checked:
    """An answer after its checks.

    ``good`` bars and ``actions`` in the shape they came in; ``held``, what is kept out of the store; ``repaired``, what
    is in ``good`` without its impossible fields. Both of the latter are rows for the quarantine: meta_id, ticker,
    trade_date (of an action its ex-date), kind, reason, payload, proposal. ``notes``: what is good and yet odd enough
    to be told.
    """

    good: pd.DataFrame
    held: list[dict[str, Any]]
    actions: pd.DataFrame = field(default_factory=pd.DataFrame)
    repaired: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def log(values: "pd.Series[Any]") -> "pd.Series[float]":
    """The natural logarithm of each of ``values``."""
    return pd.Series(np.log(values.to_numpy(dtype=float)), index=values.index)


class Reasons:
    """Why rows of a frame are held, and by which factor their prices are off; the first reason of a row stays."""

    def __init__(self, index: pd.Index) -> None:
        self.text = pd.Series("", index=index, dtype=object)
        self.factor = pd.Series(np.nan, index=index, dtype=float)

    @property
    def bad(self) -> "pd.Series[bool]":
        """Which rows have a reason."""
        return self.text != ""

    def add(
        self, mask: "pd.Series[bool]", text: "str | pd.Series[str]", factor: "pd.Series[float] | None" = None
    ) -> None:
        """Give the rows of ``mask`` that have none the reason ``text``; ``factor`` is what would mend their prices."""
        new = mask & ~self.bad
        self.text[new] = text if isinstance(text, str) else text[new]
        if factor is not None:
            self.factor[new] = factor[new]


def held_bars(bars: pd.DataFrame, reasons: Reasons) -> list[dict[str, Any]]:
    """The rows of ``bars`` that have a reason, for the quarantine."""
    if not reasons.bad.any():
        return []
    bad = bars[reasons.bad].assign(reason=reasons.text)
    factor = reasons.factor[reasons.bad]
    # a price in pence is of the same shares
    shares = factor.where(~np.isclose(log(factor).abs(), np.log(MINOR_UNIT)), 1.0)
    mended = bad[PRICES].mul(factor, axis=0).assign(volume=bad["volume"] / shares)
    found = []
    for row, raw, fixed, known in zip(
        bad.to_dict("records"), bad[VALUES].to_dict("records"), mended.to_dict("records"), factor.notna(), strict=True
    ):
        basis = {"basis_date": _day(row["basis_date"])}
        proposal = {str(name): _rounded(value) for name, value in fixed.items()} | basis if known else None
        found.append(_row(row, "bar", str(row["reason"]), _plain_all(raw) | basis, proposal))
    return found


def held_action(row: Mapping[Any, Any], reason: str, proposal: Mapping[str, Any] | None) -> dict[str, Any]:
    """A split or dividend (sources.base.ACTION_COLUMNS) for the quarantine."""
    payload = {"value": _plain(row["value"]), "basis_date": _day(row["basis_date"])}
    named = {**row, "trade_date": row["ex_date"]}
    return _row(named, str(row["kind"]), reason, payload, dict(proposal) if proposal else None)


def _row(
    row: Mapping[Any, Any], kind: str, reason: str, payload: dict[str, Any], proposal: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "meta_id": int(row["meta_id"]),
        "ticker": str(row["ticker"]),
        "trade_date": pd.Timestamp(row["trade_date"]).date(),
        "kind": kind,
        "reason": reason,
        "payload": payload,
        "proposal": proposal,
    }


def _day(value: object) -> str:
    return str(pd.Timestamp(value).date())  # type: ignore[arg-type]


def _plain_all(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in values.items()}


def _rounded(value: float) -> float | None:
    """A proposed value to the seven figures that a 32-bit float has."""
    return float(f"{value:.7g}") if math.isfinite(value) else None


def _plain(value: object) -> object:
    """``value`` as JSON can hold it."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)
