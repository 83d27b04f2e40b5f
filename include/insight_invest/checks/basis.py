"""Putting quotes into the shares of another day."""

import pandas as pd


def in_basis(rows: pd.DataFrame, to_basis: "pd.Series[pd.Timestamp]", splits: pd.DataFrame) -> "pd.Series[float]":
    """What a price of each of ``rows`` (meta_id, basis_date) is multiplied by to be in the shares of ``to_basis``.

    ``splits``: meta_id, ex_date, value (new shares per old share); a split on the basis date is already in the quote.
    """
    ones = pd.Series(1.0, index=rows.index)
    if splits.empty or rows.empty:
        return ones
    pairs = pd.DataFrame({"row": rows.index, "meta_id": rows["meta_id"], "from": rows["basis_date"], "to": to_basis})
    pairs = pairs[pairs["from"] != pairs["to"]].merge(splits[["meta_id", "ex_date", "value"]], on="meta_id")
    later = (pairs["ex_date"] > pairs["from"]) & (pairs["ex_date"] <= pairs["to"])
    earlier = (pairs["ex_date"] > pairs["to"]) & (pairs["ex_date"] <= pairs["from"])
    ratio = (1 / pairs["value"]).where(later, pairs["value"].where(earlier, 1.0))
    return ones.mul(ratio.groupby(pairs["row"]).prod(), fill_value=1.0).reindex(rows.index)


def splits_of(*actions: pd.DataFrame) -> pd.DataFrame:
    """The splits among ``actions`` (meta_id, ex_date, kind, value, ...); of one named twice the first."""
    splits = [frame.loc[frame["kind"] == "split", ["meta_id", "ex_date", "value"]] for frame in actions]
    return stacked(*splits).drop_duplicates(["meta_id", "ex_date"])


def stacked(*frames: pd.DataFrame) -> pd.DataFrame:
    """``frames`` below each other; an empty one has no say in the types of the columns."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]
