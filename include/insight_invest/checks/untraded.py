"""Sessions without a trade: a source repeats the last close, now and then in another unit; that can be put right."""

import numpy as np
import pandas as pd

from include.insight_invest.checks.verdict import HUNDRED, PRICES, Reasons, log

# Nobody traded, so nothing moved: the repeated close is the close before, but for the rounding of a hundredth.
SAME_CLOSE = np.log(1.01)
REPEATED = "no trade, and the close before in another unit: stored as that close"


def stored_as(beside: pd.DataFrame) -> "pd.Series[float]":
    """What is stored of those rows of ``beside`` (restated.Against.bars) that repeat it in another unit; else NaN."""
    return _in_another_unit(beside, beside["stored"])


def close_before(beside: pd.DataFrame, line: pd.DataFrame, reasons: Reasons) -> "pd.Series[float]":
    """The close before of those held rows of ``beside`` that repeat it in another unit; NaN of all others.

    ``line`` (neighbours.line_of): the sessions, stored and new; of the new ones those without ``reasons`` are trusted.
    """
    trusted = line["close"].mask(line["row"].isin(reasons.text.index[reasons.bad]))
    last = trusted.groupby(line["meta_id"]).ffill()
    new = line["row"] >= 0
    before = pd.Series(last[new].to_numpy(), index=line.loc[new, "row"].to_numpy()).reindex(beside.index)
    return _in_another_unit(beside, before).where(reasons.bad)


def with_closes(bars: pd.DataFrame, closes: "pd.Series[float]") -> pd.DataFrame:
    """``bars`` with open, high, low and close of ``closes``, where they are not NaN."""
    return bars.assign(**{name: bars[name].mask(closes.notna(), closes) for name in PRICES})


def _in_another_unit(bars: pd.DataFrame, close: "pd.Series[float]") -> "pd.Series[float]":
    """``close``, where the row is it times or over a hundred, and nothing moved in it: four equal prices, no volume."""
    prices = bars[PRICES].to_numpy(dtype=float)
    flat = (prices == prices[:, :1]).all(axis=1) & (bars["volume"] == 0)
    unit = (log(bars["close"] / close).abs() - HUNDRED).abs() < SAME_CLOSE
    return close.where(flat & unit)
