"""Splits and dividends: by themselves, against each other, and against the prices around their ex-date."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from include.insight_invest.checks.basis import in_basis, stacked
from include.insight_invest.checks.verdict import DAY, HUNDRED, MINOR_UNIT, UNIT_TOLERANCE, held_action, log

# No split ever was beyond these (ALPHA-PA's 1 for 10,000 is the most extreme recorded).
LEAST_RATIO, LARGEST_RATIO = 1e-5, 1e5
FRIDAY = 4
# A dividend of 8 % of the close shows in the price of its ex-date; true ones fall by all of it, less a day's move
# (ADIG-L 0.46: 0.48, RGL-L 0.081: 0.075), hundredfold ones do not (PSH-L 0.38: 0.05, SCR-TO 0.18: 0.03).
SHOWING_YIELD, LEAST_FALL = 0.08, 1 / 3
# KAP-IL's phantom came one session after the true dividend, 8 % larger; weekly payers are 4 to 5 sessions apart.
TWIN_SESSIONS, TWIN_TOLERANCE = 2, np.log(1.25)
# TENT-L's dividends in the wrong unit: 0.000138 on 0.68. The least true ones: EWG 0.002 on 29, NVDA 0.04 on 150.
LEAST_AMOUNT, LEAST_YIELD = 0.001, 0.0005
# A hundredth or a hundredfold of what a share usually pays is in another unit; usual is what all others of two years,
# at least three, agree on. EWG's 0.009 and 0.002 are true beside 0.76, IBE's 0.005 beside 0.2: theirs do not agree.
USUAL_WITHIN, USUAL_OTHERS, USUAL_SPREAD = pd.Timedelta(days=731), 3, np.log(1.5)
# The same amount on another day, of a dividend that the answer no longer has on the stored one: Yahoo has moved it.
MOVED_WITHIN, MOVED_AMOUNT = pd.Timedelta(days=14), 1e-3
# A split this large on the ex-date tells an amount in old shares from one in new shares (4063-T: 275 for 55).
TELLING_RATIO = np.log(1.5)


def absurd_splits(actions: pd.DataFrame) -> "pd.Series[bool]":
    """Which of ``actions`` are splits that no share ever had, or no numbers."""
    value = actions["value"].astype(float)
    return ~(value.between(0, np.inf, inclusive="neither")) | (
        (actions["kind"] == "split") & ~value.between(LEAST_RATIO, LARGEST_RATIO)
    )


def at_weekend(actions: pd.DataFrame, bars: pd.DataFrame, known: pd.DataFrame) -> "pd.Series[bool]":
    """Which of ``actions`` are of a Saturday or a Sunday that has neither a bar nor a stored action.

    Korea traded on Saturdays until 1998, and what is stored already is true.
    """
    keys = ["meta_id", "ex_date"]
    days = [bars[["meta_id", "trade_date"]].set_axis(keys, axis=1), known[keys]]
    explained = pd.MultiIndex.from_frame(pd.concat(one.astype({"ex_date": DAY}) for one in days))
    found: pd.Series[bool] = actions["ex_date"].dt.dayofweek > FRIDAY
    return found & ~pd.MultiIndex.from_frame(actions[keys]).isin(explained)


def check_dividends(
    actions: pd.DataFrame,
    known: pd.DataFrame,
    line: pd.DataFrame,
    splits: pd.DataFrame,
    since: "pd.Series[pd.Timestamp]",
) -> list[tuple[Any, str, dict[str, Any] | None]]:
    """The dividends of ``actions`` that cannot be true: (index, reason, proposal).

    ``known``: stored actions; what is stored already is true. ``line``: the prices (neighbours.line_of), in the
    answer's shares. ``splits``: meta_id, ex_date, value. ``since``, by meta_id: the first session of the answer.
    """
    paid = actions[actions["kind"] != "split"]
    if paid.empty or line.empty:
        return []
    paid = _with_stored(paid, known, splits).pipe(_with_prices, line)
    paid = paid.assign(asked=paid["ex_date"] >= paid["meta_id"].map(since))
    found: list[tuple[Any, str, dict[str, Any] | None]] = []
    mine = paid[paid["index"].notna() & ~paid["is_stored"]]
    for reason, rule in _RULES:
        bad = rule(mine, paid, splits)
        seen = {index for index, _, _ in found}
        found += [
            (int(index), reason, _proposal(row))
            for index, row in zip(bad["index"], bad.to_dict("records"), strict=True)
            if index not in seen
        ]
    return found


def hold_actions(
    actions: pd.DataFrame, found: list[tuple[Any, str, dict[str, Any] | None]]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """``actions`` without the ``found`` ones, and those for the quarantine."""
    held = [held_action(actions.loc[index].to_dict(), reason, proposal) for index, reason, proposal in found]
    return actions.drop(index=[index for index, _, _ in found]), held


def _with_stored(paid: pd.DataFrame, known: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """``paid`` and what the store has of the same tickers, in the answer's shares; index NaN where only stored."""
    paid = paid.reset_index().assign(is_stored=False)
    stored = known[(known["kind"] != "split") & known["meta_id"].isin(paid["meta_id"])]
    if stored.empty:
        return paid
    basis = stored["meta_id"].map(paid.groupby("meta_id")["basis_date"].max())
    stored = stored.assign(value=stored["value"] * in_basis(stored, basis, splits), basis_date=basis)
    keys = ["meta_id", "ex_date", "kind"]
    beside = paid[keys].merge(stored[[*keys, "value"]], on=keys, how="left")["value"].to_numpy(dtype=float)
    paid["is_stored"] = np.isclose(paid["value"].astype(float), beside, rtol=1e-3, atol=2e-6)
    new = stored.merge(paid[keys], on=keys, how="left", indicator=True)
    return stacked(paid, new[new["_merge"] == "left_only"].drop(columns="_merge").assign(is_stored=True))


def _with_prices(paid: pd.DataFrame, line: pd.DataFrame) -> pd.DataFrame:
    """``paid`` with ``eve`` (the close before), and of the first session from the ex-date on ``fall``, ``volume``, and

    of the one after ``next_day`` and ``next_fall``; falls as shares of the close before."""
    paid = paid.sort_values("ex_date")
    rows = line[["meta_id", "trade_date", "open", "low", "close", "volume"]].sort_values("trade_date")
    rows = rows.assign(least=rows[["open", "low", "close"]].min(axis=1))
    by_ticker = rows.groupby("meta_id")
    rows = rows.assign(
        eve=by_ticker["close"].shift(),
        next_day=by_ticker["trade_date"].shift(-1),
        next_least=by_ticker["least"].shift(-1),
    )
    columns = ["meta_id", "trade_date", "least", "close", "volume", "eve", "next_day", "next_least"]
    beside = pd.merge_asof(
        paid,
        rows[columns],
        left_on="ex_date",
        right_on="trade_date",
        by="meta_id",
        direction="forward",
        tolerance=pd.Timedelta(days=7),
    )
    return beside.assign(
        part=beside["value"] / beside["eve"],
        fall=1 - beside["least"] / beside["eve"],
        next_fall=1 - beside["next_least"] / beside["close"],
        fall_by_next=1 - beside["next_least"] / beside["eve"],
    )


def _whole_close(mine: pd.DataFrame, _: pd.DataFrame, __: pd.DataFrame) -> pd.DataFrame:
    bad = mine[mine["part"] >= 1]
    return bad.assign(proposed=bad["value"] / MINOR_UNIT)


def _without_fall(mine: pd.DataFrame, _: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Where a split is on the same day, a source may move the row, so that the next one counts too."""
    with_split = _split_on_ex_date(mine, splits).notna()
    fall = mine["fall"].where(~with_split, mine[["fall", "fall_by_next"]].max(axis=1))
    traded = ~(mine["volume"] == 0)
    bad = mine[(mine["part"] >= SHOWING_YIELD) & traded & (fall < LEAST_FALL * mine["part"])]
    late = bad["next_fall"] >= LEAST_FALL * bad["part"]
    return bad.assign(
        proposed=bad["value"].where(late, bad["value"] / MINOR_UNIT), proposed_day=bad["next_day"].where(late)
    )


def _in_old_shares(mine: pd.DataFrame, paid: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    ratio = _split_on_ex_date(mine, splits)
    telling = mine[ratio.notna() & (log(ratio).abs() >= TELLING_RATIO)]
    others = telling[["index", "meta_id", "ex_date", "kind"]].merge(
        paid, on=["meta_id", "kind"], suffixes=("", "_other")
    )
    others = others[others["ex_date"] != others["ex_date_other"]]
    usual = telling["index"].map(others.groupby("index")["value"].median())
    ratio = ratio[telling.index]
    as_new, as_old = log(telling["value"] / usual).abs(), log(telling["value"] / ratio / usual).abs()
    bad = telling[as_old < as_new / 2]
    found: pd.DataFrame = bad.assign(proposed=bad["value"] / ratio[bad.index])
    return found


def _second_of_two(mine: pd.DataFrame, paid: pd.DataFrame, _: pd.DataFrame) -> pd.DataFrame:
    ordered = paid.sort_values(["meta_id", "kind", "ex_date"])
    by_kind = ordered.groupby(["meta_id", "kind"])
    before, amount = by_kind["ex_date"].shift(), by_kind["value"].shift()
    known = before.notna()
    apart = pd.Series(np.nan, index=ordered.index)
    first, second = (day[known].to_numpy().astype("datetime64[D]") for day in (before, ordered["ex_date"]))
    apart[known] = np.busday_count(first, second)
    twin = (apart <= TWIN_SESSIONS) & (log(ordered["value"] / amount).abs() < TWIN_TOLERANCE)
    found: pd.DataFrame = mine.loc[twin[mine.index]]
    return found


def _off_the_usual(mine: pd.DataFrame, paid: pd.DataFrame, _: pd.DataFrame) -> pd.DataFrame:
    """A hundredth or a hundredfold of the others of its kind, two years before and after it."""
    columns = ["meta_id", "kind", "ex_date", "value"]
    others = mine[["index", *columns]].merge(paid[columns], on=["meta_id", "kind"], suffixes=("", "_other"))
    apart = (others["ex_date_other"] - others["ex_date"]).abs()
    others = others[(apart > pd.Timedelta(0)) & (apart <= USUAL_WITHIN)]
    usual = others.groupby("index")["value_other"].median()
    agree = log(others["value_other"] / others["index"].map(usual)).abs() <= USUAL_SPREAD
    agreeing = agree.groupby(others["index"]).agg(["size", "all"])
    known = usual[(agreeing["size"] >= USUAL_OTHERS) & agreeing["all"]]
    off = log(mine["value"] / mine["index"].map(known))
    bad = mine[(off.abs() - HUNDRED).abs() < UNIT_TOLERANCE]
    proposed = (bad["value"] / MINOR_UNIT).where(off[bad.index] > 0, bad["value"] * MINOR_UNIT)
    found: pd.DataFrame = bad.assign(proposed=proposed)
    return found


def _moved(mine: pd.DataFrame, paid: pd.DataFrame, _: pd.DataFrame) -> pd.DataFrame:
    """What is stored within the answer's sessions and not in it, and comes with the same amount on another day."""
    gone = paid.loc[paid["index"].isna() & paid["asked"], ["meta_id", "kind", "ex_date", "value"]]
    pairs = mine.merge(gone, on=["meta_id", "kind"], suffixes=("", "_gone"))
    near = (pairs["ex_date"] - pairs["ex_date_gone"]).abs() <= MOVED_WITHIN
    same = (pairs["value"] / pairs["value_gone"] - 1).abs() < MOVED_AMOUNT
    found: pd.DataFrame = mine[mine["index"].isin(pairs.loc[near & same, "index"])]
    return found


def _tiny(mine: pd.DataFrame, _: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """As declared, in the shares of the ex-date: later splits have made true amounts small."""
    declared = mine["value"] * in_basis(mine[["meta_id", "basis_date"]], mine["ex_date"], splits)
    bad = mine[(declared < LEAST_AMOUNT) & (mine["part"] < LEAST_YIELD)]
    return bad.assign(proposed=bad["value"] * MINOR_UNIT)


def _split_on_ex_date(mine: pd.DataFrame, splits: pd.DataFrame) -> "pd.Series[float]":
    same_day = mine[["meta_id", "ex_date"]].merge(splits, on=["meta_id", "ex_date"], how="left")["value"]
    return pd.Series(same_day.to_numpy(dtype=float), index=mine.index)


def _proposal(row: dict[Any, Any]) -> dict[str, Any] | None:
    if "proposed" not in row:
        return None
    # sources send amounts with six decimals, and a hundredth of a 32-bit float has more than it has figures
    proposal: dict[str, Any] = {"value": float(f"{row['proposed']:.7g}")}
    if pd.notna(row.get("proposed_day")):
        proposal["ex_date"] = str(row["proposed_day"].date())
    return proposal


_Rule = Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame], pd.DataFrame]
_RULES: tuple[tuple[str, _Rule], ...] = (
    ("a dividend of the whole close or more", _whole_close),
    ("a dividend in the shares before the split of its day", _in_old_shares),
    ("a large dividend without a fall of the price", _without_fall),
    ("repeats the dividend of a session or two before", _second_of_two),
    ("a dividend under a tenth of a cent", _tiny),
    ("a stored dividend that the source has moved to this day: counted twice", _moved),
    ("a hundredth or a hundredfold of the dividends beside it", _off_the_usual),
)
