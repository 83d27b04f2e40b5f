"""A bar among its neighbours: jumps that come back, jumps by a unit, jumps that nobody has confirmed yet, repeats.

What is stored is the anchor. Where nothing is, the newest sessions are, for a source mends its present first, unless
they are few beside the others.
"""

import numpy as np
import pandas as pd

from include.insight_invest.checks.basis import stacked
from include.insight_invest.checks.restated import NEAR_SPLIT, TELLING_SPLIT
from include.insight_invest.checks.verdict import HUNDRED, UNIT_TOLERANCE, VALUES, WILD, Reasons, log

# A jump that comes back within this many rows, to within a quarter, was none (the longest recorded, CLC-L: 6 rows).
SPIKE_ROWS = 10
SPIKE_RETURN = np.log(1.25)
# A jump by the split's ratio, with a day's move of its own; a wild one may have a third of it (SPM-MI: 0.66 of 2.96).
SPLIT_TIGHT, SPLIT_LOOSE, SPLIT_SHARE = np.log(1.05), np.log(1.2), 1 / 3
# Away from its ex-date only the ratio of a split of 2:1 or more says that a jump is the split's.
BIG_SPLIT = np.log(1.99)
# Fewer rows than this after a jump are no anchor: it may be they that are wrong.
ANCHOR_ROWS = 3
# Nor are they where they are no more than a spike has, in another unit than all but a few: SSW.JO's newest 7 are right
# beside 22, of 400 sessions the newest 7 are wrong.
ANCHOR_SHARE = 1 / 4
# A flat row (a preferred share, one round lot a day) may repeat; one that moved, or of this volume, does not.
REPEATED_VOLUME = 10_000
_NONE = pd.Index([])


def line_of(beside: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The sessions of each ticker in their order: stored ones as stored, new ones as quoted.

    Columns meta_id, trade_date, open … volume, and ``row``, the index of a new one in ``beside``, -1 of a stored one.
    """
    columns = ["meta_id", "trade_date", *VALUES]
    new = beside.loc[beside["stored"].isna(), columns].assign(row=lambda rows: rows.index)
    both = stacked(new, known[columns].assign(row=-1))
    return both.astype(dict.fromkeys(VALUES, float)).sort_values(["meta_id", "trade_date"], ignore_index=True)


def check_neighbours(
    line: pd.DataFrame, splits: pd.DataFrame, reasons: Reasons, *, limited: bool = False, read_again: pd.Index = _NONE
) -> pd.DataFrame:
    """Hold the new rows of ``line`` that do not fit the sessions around them.

    ``splits``: meta_id, ex_date, value of those that are true, and of those that were refused. ``limited``: the
    exchange's own limits have judged how far they moved (in liquidation trading x300 within one session).
    ``read_again``: the rows of shares that have not traded for days.
    Returns the wild moves that stay although nothing explains them: meta_id, trade_date, factor.
    """
    _hold(line, _repeats(line), "repeats the session before", reasons)
    jumps = _jumps(line, splits)
    if limited and len(jumps):
        jumps = jumps[(line["row"].to_numpy()[jumps["at"]] < 0)].reset_index(drop=True)
    if jumps.empty:
        return pd.DataFrame(columns=["meta_id", "trade_date", "factor"])
    jumps["spike"] = _spikes(line, jumps)
    inside = _inside_spikes(line, jumps)
    factor = pd.Series(np.exp(-jumps["unit"].to_numpy())[inside], index=line.index)
    _hold(line, pd.Series(inside >= 0, index=line.index), "a jump that comes back", reasons, factor)
    left = jumps[~jumps["spike"]]
    level = _levels(line, left[left["kind"] == "unit"])
    _hold(line, level.notna(), "off the level of its neighbours by a split or a unit", reasons, level.map(np.exp))
    own = left[left["kind"] == "own"]
    factor = pd.Series(np.exp(-own["unit"]).to_numpy(), index=own["at"]).reindex(line.index)
    _hold(line, factor.notna(), "moved by the ratio of its own split: divided once too often", reasons, factor)
    return _wild(line, left[left["kind"] == "wild"], reasons, read_again)


def _wild(line: pd.DataFrame, moves: pd.DataFrame, reasons: Reasons, read_again: pd.Index) -> pd.DataFrame:
    """Hold wild ``moves`` of the newest sessions, not of those ``read_again``; returns the new ones that stay."""
    newest = ~line["meta_id"].duplicated(keep="last") & ~line["row"].isin(read_again)
    wild = pd.Series(line.index.isin(moves["at"]), index=line.index)
    _hold(line, wild & newest, "a wild move that no later session confirms yet", reasons)
    good = line["row"].isin(reasons.text.index[~reasons.bad])
    stay = moves[good.to_numpy()[moves["at"]]]
    return stay[["meta_id", "trade_date"]].assign(factor=np.exp(stay["move"]))


def _hold(
    line: pd.DataFrame, mask: "pd.Series[bool]", text: str, reasons: Reasons, factor: "pd.Series[float] | None" = None
) -> None:
    hit = line.loc[mask & (line["row"] >= 0), "row"]
    known = None
    if factor is not None:
        known = pd.Series(factor[hit.index].to_numpy(), index=hit.to_numpy()).reindex(reasons.text.index)
    reasons.add(pd.Series(reasons.text.index.isin(hit), index=reasons.text.index), text, known)


def _repeats(line: pd.DataFrame) -> "pd.Series[bool]":
    same = pd.Series(np.isclose(line[VALUES], line[VALUES].shift(), rtol=1e-9).all(axis=1), index=line.index)
    traded = (line["volume"] > 0) & ((line["high"] > line["low"]) | (line["volume"] >= REPEATED_VOLUME))
    return same & traded & line["meta_id"].duplicated()


def _jumps(line: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """The moves that may be no moves, in order: at (place in ``line``), move (logarithm), kind, unit, sure.

    ``kind`` unit: by ``unit`` (logarithm), a split's ratio or 100; own: a split's ratio, in its own direction, on its
    ex-date; near: by nearly a split's ratio; wild. ``sure``: on the ex-date, as if what is before were not restated.
    """
    move = log(line["close"]).diff().where(line["meta_id"].duplicated())
    at = np.flatnonzero(move.abs() > TELLING_SPLIT - SPLIT_TIGHT)
    if at.size == 0:  # as in nearly every answer
        return pd.DataFrame()
    found = pd.DataFrame({"at": at, "move": move.to_numpy()[at]}).join(line[["meta_id", "trade_date"]], on="at")
    size = found["move"].abs()
    found = found.join(_split_jumps(found, splits))
    hundred = (size - HUNDRED).abs() < UNIT_TOLERANCE
    found["unit"] = (np.sign(found["move"]) * HUNDRED).where(hundred, found["unit"])
    found["kind"] = (
        found["kind"].mask((size > WILD) & ~found["kind"].isin(["unit", "own"]), "wild").mask(hundred, "unit")
    )
    found["sure"] = found["sure"].eq(True)
    return found[found["kind"].notna()].reset_index(drop=True)


def _split_jumps(found: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Which of ``found`` are the work of a split nearby: kind, unit, sure, by the index of ``found``."""
    if splits.empty:
        return pd.DataFrame(
            {"kind": pd.Series(dtype=object), "unit": pd.Series(dtype=float), "sure": pd.Series(dtype=object)}
        )
    pairs = found.reset_index(names="jump").merge(splits, on="meta_id")
    pairs = pairs[(pairs["trade_date"] - pairs["ex_date"]).abs() <= NEAR_SPLIT]
    ratio = log(pairs["value"])
    size, far = pairs["move"].abs(), (pairs["move"].abs() - ratio.abs()).abs()
    on_date, big = pairs["trade_date"] == pairs["ex_date"], ratio.abs() >= BIG_SPLIT
    telling = ratio.abs() >= TELLING_SPLIT
    wild = (size > WILD) & (far < size * SPLIT_SHARE)
    same = np.sign(pairs["move"]) == np.sign(ratio)
    tight = far < SPLIT_TIGHT
    sure = on_date & ~same & telling & (tight | wild)
    kind = pd.Series(np.nan, index=pairs.index, dtype=object).mask(big & (far < SPLIT_LOOSE), "near")
    kind = kind.mask(on_date & same & telling & tight, "own").mask((big & tight) | wild | sure, "unit")
    pairs = pairs.assign(kind=kind, unit=np.sign(pairs["move"]) * ratio.abs(), sure=sure, far=far)
    nearest = pairs[kind.notna()].sort_values("far").drop_duplicates("jump").set_index("jump")
    return nearest[["kind", "unit", "sure"]]


def _spikes(line: pd.DataFrame, jumps: pd.DataFrame) -> list[bool]:
    """Which of ``jumps`` go away and which come back; a jump out of stored rows and back into them cannot be stored."""
    spike = [False] * len(jumps)
    at, move, ticker = jumps["at"].tolist(), jumps["move"].tolist(), jumps["meta_id"].tolist()
    stored = (line["row"] < 0).to_numpy().cumsum()
    for first in range(len(jumps) - 1):  # jumps, not rows: a good history has none
        out, back = at[first], at[first + 1]
        spike[first + 1] = spike[first + 1] or (
            not spike[first]
            and ticker[first] == ticker[first + 1]
            and back - out <= SPIKE_ROWS
            and abs(move[first] + move[first + 1]) < SPIKE_RETURN
            and stored[back - 1] == stored[out - 1]
        )
        spike[first] = spike[first] or spike[first + 1]
    return spike


def _inside_spikes(line: pd.DataFrame, jumps: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each row of ``line`` the jump that it is the far side of, -1 where it is of none."""
    both = np.flatnonzero(jumps["spike"])
    inside = np.full(len(line), -1, dtype=np.int64)
    for out, back in zip(both[::2], both[1::2], strict=True):
        inside[jumps["at"][out] : jumps["at"][back]] = out
    return inside


def _levels(line: pd.DataFrame, units: pd.DataFrame) -> "pd.Series[float]":
    """What the logarithm of each new row's price is to be raised by, where it is off by units; NaN elsewhere."""
    if units.empty:
        return pd.Series(np.nan, index=line.index)
    step = pd.Series(0.0, index=line.index)
    step[units["at"]] = units["unit"].to_numpy()
    rows = line.assign(
        level=step.cumsum(), part=line.index.isin(units["at"]).cumsum(), stored=line["row"] < 0, sure=False
    )
    rows.loc[units["at"], "sure"] = units["sure"].to_numpy()
    rows = rows[rows["meta_id"].isin(units["meta_id"])]
    parts = rows.groupby(["meta_id", "part"], as_index=False).agg(
        level=("level", "first"), stored=("stored", "any"), sure=("sure", "any"), size=("level", "size")
    )
    standing = parts["stored"] * 2 + (parts["sure"] | ((parts["size"] >= ANCHOR_ROWS) & ~_few(parts)))
    anchor = parts.assign(standing=standing).sort_values(["standing", "part"]).drop_duplicates("meta_id", keep="last")
    raised = rows["meta_id"].map(anchor.set_index("meta_id")["level"]) - rows["level"]
    stands = rows.groupby(["meta_id", "part"])["stored"].transform("any")
    return raised.where((raised.abs() > TELLING_SPLIT) & ~stands).reindex(line.index)


def _few(parts: pd.DataFrame) -> "pd.Series[bool]":
    """Which of ``parts`` (meta_id, level, size) are of a level with few sessions, a hundredfold off that of many."""
    level = parts["level"].round(6)
    sessions = parts.groupby(["meta_id", level])["size"].transform("sum")
    most = parts.assign(level=level, sessions=sessions).sort_values("sessions").groupby("meta_id").last()
    off = (level - parts["meta_id"].map(most["level"])).abs()
    few = (sessions <= SPIKE_ROWS) & (sessions < ANCHOR_SHARE * parts["meta_id"].map(most["sessions"]))
    found: pd.Series[bool] = few & ((off - HUNDRED).abs() < UNIT_TOLERANCE)
    return found
