"""Which rows of an answer an operator has decided about."""

import pandas as pd

from include.insight_invest.checks.verdict import DAY

# Two reads of one quote: Yahoo's 32-bit floats have seven figures.
SEVEN_FIGURES = 5e-7


def is_rejected(rows: pd.DataFrame, day: str, value: str, rejected: pd.DataFrame) -> "pd.Series[bool]":
    """Which of ``rows`` (meta_id, kind and the columns named ``day`` and ``value``) are among ``rejected``.

    ``rejected``: meta_id, trade_date, kind, value; NaN is the same as NaN.
    """
    asked = pd.DataFrame(
        {
            "place": range(len(rows)),
            "meta_id": rows["meta_id"].astype(int),
            "trade_date": pd.to_datetime(rows[day]).dt.as_unit("ns"),
            "kind": rows["kind"].astype(object),
            "value": rows[value].astype(float),
        }
    )
    decided = rejected.astype({"trade_date": DAY})
    both = asked.merge(decided, on=["meta_id", "trade_date", "kind"], suffixes=("", "_rejected"))
    same = (both["value"] - both["value_rejected"]).abs() <= SEVEN_FIGURES * both["value_rejected"].abs()
    same |= both["value"].isna() & both["value_rejected"].isna()
    return pd.Series(asked["place"].isin(both.loc[same, "place"]).to_numpy(), index=rows.index)
