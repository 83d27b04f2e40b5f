"""An answer's sessions against what is stored of them: the same close, in the same shares, or a split says why not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.insight_invest.checks.basis import in_basis, stacked
from include.insight_invest.checks.verdict import HUNDRED, VALUES, WILD, Reasons, log

# Two reads of one session differ by a correction: of the recorded vintages none moved a close by 0.1 %. A history that
# was restated differs by one and the same factor on every session, as far as 32-bit floats and cents allow.
RESTATED_OFF, RESTATED_SPREAD, RESTATED_ROWS = np.log(1.02), np.log(1.01), 3
# With fewer sessions in common a correction looks like a factor: only one that no correction has.
RESTATED_OFF_FEW = np.log(1.2)
# One session that is off by the ratio of a split, or a hundredfold, was quoted in other shares, or in another unit.
SAME_RATIO = np.log(1.01)
# The least split that cannot be taken for a day's move.
TELLING_SPLIT = np.log(1.25)
# A session with two stored ones after it was read on three evenings: more than this is no correction of it any more,
# unless the new close goes with the sessions around it and the stored one did not.
SETTLED_ROWS, CORRECTED = 2, np.log(1.2)
# A share whose whole history is this short has nothing else to be held against.
YOUNG_ROWS = 2
# A source applies a split too early or too late (DEX-AX: 8 days before, SPM-MI: 7 days after), or to one row too many.
NEAR_SPLIT = pd.Timedelta(days=21)


@dataclass(frozen=True)
class Against:
    """The answer beside the store.

    ``bars``: the answer's rows, sorted by meta_id and trade_date, with ``stored``, the stored close in the answer's
    shares (NaN where the session is new), and ``off``, the natural logarithm of quoted over stored close.
    """

    bars: pd.DataFrame
    known: pd.DataFrame  # the stored rows, their values in the answer's shares


def against(bars: pd.DataFrame, known: pd.DataFrame, splits: pd.DataFrame) -> Against:
    """Lay ``known`` (verdict.KNOWN_BARS) beside ``bars``, across ``splits``."""
    bars = bars.sort_values(["meta_id", "trade_date"])
    if known.empty or bars.empty:
        return Against(bars.assign(stored=np.nan, off=np.nan), known)
    basis = known["meta_id"].map(bars.groupby("meta_id")["basis_date"].max())
    factor = in_basis(known, basis, splits)
    values = {name: known[name] * factor for name in VALUES if name != "volume"}
    known = known.assign(**values, volume=known["volume"] / factor, basis_date=basis)
    stored = known.set_index(["meta_id", "trade_date"])["close"]
    keys = pd.MultiIndex.from_frame(bars[["meta_id", "trade_date"]])
    beside = bars.assign(stored=stored.reindex(keys).to_numpy(dtype=float))
    close = beside["close"].where(beside["close"] > 0)
    return Against(beside.assign(off=log(close / beside["stored"])), known)


def untold_splits(bars: pd.DataFrame, known: pd.DataFrame, new: pd.DataFrame, others: pd.DataFrame) -> pd.Index:
    """Those of the ``new`` splits (meta_id, ex_date, value) that no price shows: not restated before, no move on it.

    Such a split would restate a history that the source itself has not restated. Where the ex-date moved by it, the
    split is true and only the sessions before are still quoted in the old shares.
    """
    untold = []
    for index, split in new.iterrows():  # there are few: splits that the store does not know yet
        ratio = np.log(split["value"])
        if abs(ratio) < RESTATED_OFF:
            continue
        mine = bars[bars["meta_id"] == split["meta_id"]]
        with_it = stacked(others, new.loc[[index]])
        beside = against(mine, known[known["meta_id"] == split["meta_id"]], with_it).bars
        before = beside[beside["trade_date"] < split["ex_date"]]
        after = beside[beside["trade_date"] >= split["ex_date"]]
        off = before["off"].dropna() - ratio
        if off.empty or after.empty or off.abs().max() > SAME_RATIO:
            continue
        move = np.log(after["close"].iloc[0] / before["close"].iloc[-1])
        if abs(move) < abs(move + ratio):
            untold.append(index)
    return pd.Index(untold)


def mends(beside: pd.DataFrame, known: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows of ``beside`` go with the sessions around them, where the stored close did not: mended at the source.

    Around them are the sessions of which answer and store agree; of a share of which nothing else is stored, the new.
    """
    off, ticker = beside["off"], beside["meta_id"]
    stored_rows = ticker.map(known["meta_id"].value_counts())
    young = (stored_rows <= YOUNG_ROWS) & (stored_rows == off.notna().groupby(ticker).transform("sum"))
    level = log(beside["close"]).where((off.abs() <= RESTATED_OFF) | (off.isna() & young))
    around = [level.groupby(ticker).ffill(), level.groupby(ticker).bfill()]
    new, stored = (
        pd.concat([(log(close) - one).abs() for one in around], axis=1).max(axis=1)
        for close in (beside["close"], beside["stored"])
    )
    mended: pd.Series[bool] = (off.abs() > RESTATED_OFF) & (new < stored)
    return mended


def as_corrected(known: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """``known`` with the values of those of ``rows`` (Against.bars, the good ones) that correct it."""
    changed = rows[rows["off"].abs() > RESTATED_OFF]
    if changed.empty:
        return known
    keys = ["meta_id", "trade_date"]
    same = pd.MultiIndex.from_frame(known[keys]).isin(pd.MultiIndex.from_frame(changed[keys]))
    return stacked(known[~same], changed.reindex(columns=known.columns))


def check_restated(beside: pd.DataFrame, known: pd.DataFrame, splits: pd.DataFrame, reasons: Reasons) -> pd.DataFrame:
    """Hold the rows of ``beside`` (Against.bars) that are off; returns the tickers whose histories were restated.

    One row each: meta_id, ticker, ratio (what the quotes were divided by), since (the first day on which the split that
    would explain it may have been), basis_date.
    """
    common = beside[beside["off"].notna()]
    if not (common["off"].abs() > RESTATED_OFF).any():
        return pd.DataFrame(columns=["meta_id", "ticker", "ratio", "since", "basis_date"])
    mended = mends(beside, known).loc[common.index]
    split = _off_by_a_split(common, splits)
    restated, others = _whole_histories(common, split | mended)
    size = common["off"].abs()
    settled = common[::-1].groupby("meta_id").cumcount() >= SETTLED_ROWS
    checks = (
        (common["meta_id"].isin(restated.index), "the whole history is restated, and no split says why"),
        (common["meta_id"].isin(others), "not one session is as stored, by no common factor: another share?"),
        (split & ~mended, "off its stored close by the ratio of a split: quoted in other shares"),
        ((size > WILD) & ((size - HUNDRED).abs() < SAME_RATIO) & ~mended, "a hundred times off its stored close"),
        ((size > WILD) & ~mended, "more than four times, or under a quarter of, its stored close"),
        ((size > CORRECTED) & settled & ~mended, "a settled close would move by more than a fifth"),
    )
    for is_bad, text in checks:
        reasons.add(is_bad.reindex(beside.index, fill_value=False), text)
    bad = pd.concat([is_bad for is_bad, _ in checks], axis=1).any(axis=1)
    _hold_with(beside, common[bad], restated.index.union(others), reasons)
    return _restated_tickers(beside, restated)


def _whole_histories(common: pd.DataFrame, explained: "pd.Series[bool]") -> tuple[pd.DataFrame, pd.Index]:
    """The tickers of which no session is as stored: by one factor (their ``off``: median, max, min, size), by many."""
    off = common.groupby("meta_id")["off"].agg(["median", "max", "min", "size"])
    enough = off["median"].abs() > np.where(off["size"] >= RESTATED_ROWS, RESTATED_OFF, RESTATED_OFF_FEW)
    untold = ~explained.groupby(common["meta_id"]).all()
    one_factor = off["max"] - off["min"] < RESTATED_SPREAD
    least = common["off"].abs().groupby(common["meta_id"]).min()
    others = off.index[(least > RESTATED_OFF) & (off["size"] >= RESTATED_ROWS) & ~one_factor & untold]
    return off[enough & untold & one_factor], others


def _off_by_a_split(common: pd.DataFrame, splits: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows are off by the ratio of a later split, or of one just before; one too small to tell is none."""
    telling = splits[log(splits["value"]).abs() >= TELLING_SPLIT]
    if telling.empty:
        return pd.Series(False, index=common.index)
    suspect = common.loc[common["off"].abs() > TELLING_SPLIT - SAME_RATIO, ["meta_id", "trade_date", "off"]]
    pairs = suspect.reset_index(names="row").merge(telling, on="meta_id")
    same = (pairs["off"].abs() - log(pairs["value"]).abs()).abs() < SAME_RATIO
    return common.index.to_series().isin(pairs.loc[same & (pairs["ex_date"] > pairs["trade_date"] - NEAR_SPLIT), "row"])


def _hold_with(beside: pd.DataFrame, bad: pd.DataFrame, whole: pd.Index, reasons: Reasons) -> None:
    """With ``bad`` hold the new sessions that go on from them rather than from what is stored."""
    ticker, new = beside["meta_id"], beside["off"].isna()
    off = beside["off"].where(beside.index.isin(bad.index) | new, 0.0)
    off = off.groupby(ticker).ffill().fillna(off.groupby(ticker).bfill())
    last = beside["close"].where(~new)
    move = log(beside["close"] / last.groupby(ticker).ffill().fillna(last.groupby(ticker).bfill()))
    from_stored = (move + off).abs()
    # a restated history takes its new sessions with it, unless they stand plainly where the stored ones do
    apart = ticker.isin(whole) & ((off.abs() < TELLING_SPLIT) | (from_stored >= off.abs() / 2))
    continues = new & (off.abs() > RESTATED_OFF) & (apart | (~ticker.isin(whole) & (move.abs() <= from_stored)))
    reasons.add(continues, "goes on from sessions that are held back")


def _restated_tickers(beside: pd.DataFrame, restated: pd.DataFrame) -> pd.DataFrame:
    if restated.empty:
        return pd.DataFrame(columns=["meta_id", "ticker", "ratio", "since", "basis_date"])
    mine = beside[beside["meta_id"].isin(restated.index)]
    found = mine.groupby("meta_id").agg(ticker=("ticker", "first"), basis_date=("basis_date", "max"))
    last = mine[mine["off"].notna()].groupby("meta_id")["trade_date"].max()
    new = mine[mine["trade_date"] > mine["meta_id"].map(last)].groupby("meta_id")["trade_date"].min()
    found["ratio"] = np.exp(-restated["median"])
    found["since"] = new.reindex(found.index).fillna(found["basis_date"])
    return found.reset_index()
