"""Splits that a source tells late: what was read after their day, but before they were told, is in the old shares."""

from collections.abc import Collection, Mapping
from datetime import date

import numpy as np
import pandas as pd

from include.insight_invest.checks.actions import absurd_splits
from include.insight_invest.checks.basis import stacked
from include.insight_invest.checks.restated import RESTATED_OFF, SAME_RATIO, against
from include.insight_invest.checks.verdict import DAY, KNOWN_BARS, log

_KEYS = ["meta_id", "trade_date"]
_ACTION = ["meta_id", "ex_date", "kind"]
_ONE_DAY = pd.Timedelta(days=1)


def days_of_splits(actions: pd.DataFrame) -> pd.DataFrame:
    """The meta_id and ex_date of the splits among ``actions``."""
    return actions.loc[actions["kind"] == "split", ["meta_id", "ex_date"]].astype({"meta_id": int, "ex_date": DAY})


def since_wanted(bars: pd.DataFrame, since: Mapping[int, date], whole: Collection[int]) -> pd.DataFrame:
    """The ``bars`` from the day on that ``since`` has for their meta_id; all of those of ``whole``."""
    first = pd.to_datetime(bars["meta_id"].map(dict(since)))
    return bars[first.isna() | (bars["trade_date"] >= first) | bars["meta_id"].isin(list(whole))]


def spans(bars: pd.DataFrame, answered: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Since and until when each ticker's stored bars matter to an answer: over its ``bars``, and back to a new action.

    ``answered`` are the answer's actions, ``stored`` those that are stored.
    """
    found = bars.astype({"trade_date": DAY}).groupby("meta_id")["trade_date"].agg(since="min", until="max")
    mine = answered[_ACTION].astype({"meta_id": int, "ex_date": DAY})
    new = mine[~pd.MultiIndex.from_frame(mine).isin(pd.MultiIndex.from_frame(stored[_ACTION]))]
    earliest = new.groupby("meta_id")["ex_date"].min().reindex(found.index)
    widened: pd.DataFrame = found.assign(since=found["since"].where(~(earliest < found["since"]), earliest))
    return widened


def told_splits(answered: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """The splits of both: meta_id, ex_date, value, and run_id of the run that stored each, infinite where none has."""
    told = answered[(answered["kind"] == "split") & ~absurd_splits(answered)].assign(run_id=np.inf)
    columns = ["meta_id", "ex_date", "value", "run_id"]
    both = stacked(stored.loc[stored["kind"] == "split", columns], told[columns])
    both = both.astype({"meta_id": int, "ex_date": DAY, "value": float, "run_id": float})
    return both.drop_duplicates(["meta_id", "ex_date"])


def of_splits(rebased: pd.DataFrame, *actions: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``rebased`` whose split is among ``actions``, as verdict.KNOWN_BARS: one that was held moves none."""
    stands = pd.MultiIndex.from_frame(stacked(*(days_of_splits(frame) for frame in actions)))
    ex_date = pd.MultiIndex.from_arrays([rebased["meta_id"], rebased["basis_date"] + _ONE_DAY])
    return rebased.loc[ex_date.isin(stands), KNOWN_BARS]


def in_old_shares(bars: pd.DataFrame, known: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``known`` that were quoted in the shares before a split although their basis_date is after it.

    They come back with the basis_date that they should have: the eve of the split. ``bars`` is the answer, ``known``
    what is stored of its source (verdict.KNOWN_BARS and run_id), ``splits`` meta_id, ex_date, value and run_id, of the
    run that stored the split, infinite where none has yet. Only a row that an earlier run stored than the split can be
    one, and only where the answer, restated or not, has the same price in the other shares.
    """
    unaware = _unaware(known, splits)
    if unaware.empty or bars.empty:
        return known.iloc[:0]
    bars = bars.astype({"meta_id": int, "trade_date": DAY, "basis_date": DAY})
    mine = bars[bars["meta_id"].isin(unaware["meta_id"])].drop_duplicates(_KEYS)
    beside = against(mine, known[known["meta_id"].isin(unaware["meta_id"])], splits).bars
    rows = beside[[*_KEYS, "off"]].dropna().merge(unaware, on=_KEYS, how="left")
    restated = rows["meta_id"].map(_restated(beside, rows, unaware)).eq(True)
    # off its stored close, in the answer's shares as its basis_date has them: by this much where it is in the old ones
    expected = (-rows["ratio"]).where(restated, 0.0)
    otherwise = expected + rows["ratio"]
    far = (rows["off"] - expected).abs()
    telling = rows["ratio"].abs() > RESTATED_OFF
    old = rows[telling & (far < SAME_RATIO) & (far < (rows["off"] - otherwise).abs())].set_index("place")
    found: pd.DataFrame = known.loc[old.index].assign(basis_date=old["eve"])
    return found


def _unaware(known: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``known`` between whose day and basis_date there is a split that was stored later, or not yet.

    Columns meta_id, trade_date, place (in ``known``), ratio (logarithm), eve (of the first such split), last (its ex).
    """
    columns = [*_KEYS, "basis_date", "run_id"]
    pairs = known[columns].reset_index(names="place").merge(splits, on="meta_id", suffixes=("", "_split"))
    pairs = pairs[
        (pairs["trade_date"] < pairs["ex_date"])
        & (pairs["ex_date"] <= pairs["basis_date"])
        & (pairs["run_id"] < pairs["run_id_split"])
    ]
    found = pairs.assign(ratio=log(pairs["value"])).groupby([*_KEYS, "place"], as_index=False)
    return found.agg(ratio=("ratio", "sum"), first=("ex_date", "min"), last=("ex_date", "max")).assign(
        eve=lambda rows: rows["first"] - _ONE_DAY
    )


def _restated(beside: pd.DataFrame, rows: pd.DataFrame, unaware: pd.DataFrame) -> "pd.Series[bool]":
    """Of each ticker, whether the answer is in the new shares: by the stored rows of before the split whose basis is
    beyond doubt, and without any by the move on its day."""
    split = unaware.groupby("meta_id").agg(ratio=("ratio", "first"), ex_date=("last", "max"))
    sure = rows[rows["ratio"].isna()].drop(columns="ratio").join(split, on="meta_id", rsuffix="_split")
    off = sure[sure["trade_date"] < sure["ex_date"]].groupby("meta_id")["off"].median().reindex(split.index)
    priced = beside[beside["close"] > 0]
    is_before = priced["trade_date"] < priced["meta_id"].map(split["ex_date"])
    last = priced[is_before].groupby("meta_id")["close"].last()
    move = log((priced[~is_before].groupby("meta_id")["close"].first() / last).reindex(split.index))
    apart = off.fillna(-move)  # about 0 where it is restated, else about the ratio
    return pd.Series(np.abs(apart) <= np.abs(apart - split["ratio"]), index=split.index)
