"""Every check of one answer, in its order. Pure: frames in, frames and rows out."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from include.insight_invest.checks import actions as action_checks
from include.insight_invest.checks.bars import check_bars
from include.insight_invest.checks.basis import splits_of, stacked
from include.insight_invest.checks.neighbours import check_neighbours, line_of
from include.insight_invest.checks.restated import against, as_corrected, check_restated, untold_splits
from include.insight_invest.checks.untraded import REPEATED, close_before, stored_as, with_closes
from include.insight_invest.checks.verdict import (
    DAY,
    MINOR_UNIT,
    PRICES,
    Checked,
    Known,
    Reasons,
    held_action,
    held_bars,
    log,
)
from include.insight_invest.sources.base import ACTION_COLUMNS, MINOR_UNITS

# A first load of thousands of histories must not bury the other notes.
SHOWN_MOVES = 3
# A wild move of the last session that there is, of a share that trades no more, has been read again on three evenings.
CONFIRMED_AFTER = pd.Timedelta(days=5)

Found = list[tuple[Any, str, dict[str, Any] | None]]  # actions that are held: index, reason, proposal


def check_answer(
    bars: pd.DataFrame,
    actions: pd.DataFrame,
    known: Known,
    *,
    currency: str,
    base: "pd.Series[float] | None" = None,
) -> Checked:
    """What of an answer (``bars``: BAR_COLUMNS, ``actions``: ACTION_COLUMNS, both in ``currency``) can be stored.

    ``known`` is what is stored of its tickers. A row that says what is stored is good; the others are judged by
    themselves, against the stored close of their session, and among their neighbours, stored and new. ``base``, aligned
    with ``bars``, is the price that each counts from where the source says it (KRX): then the close before is that.
    """
    eve = _eve(bars, base)
    bars, actions = (frame.reset_index(drop=True) for frame in (bars, actions))
    bars = bars.astype(dict.fromkeys(("trade_date", "basis_date"), DAY) | {"meta_id": int})
    types = dict.fromkeys(("ex_date", "basis_date"), DAY) | {"meta_id": int, "value": float}
    actions = actions.reindex(columns=list(ACTION_COLUMNS)).astype(types)
    foreign = _other_currency(bars, actions, known, currency)
    if foreign:
        return _without(bars, actions, known, currency, foreign)
    single = check_bars(bars, currency, limited=base is not None)
    kept, found, refused = _splits(single.good, actions, known)
    splits, told = splits_of(kept, known.actions), splits_of(kept, known.actions, refused)
    judged = _judge(single.good, known, splits, told, eve=eve, limited=base is not None)
    good, reasons, why, line, restated, moves = judged
    found += action_checks.check_dividends(
        kept, known.actions, line, splits, single.good.groupby("meta_id")["trade_date"].min()
    )
    found += [
        (index, "of a history that is restated, and no split says why", None)
        for index in kept.index[kept["meta_id"].isin(restated["meta_id"])]
        if index not in {seen for seen, _, _ in found}
    ]
    left, held = action_checks.hold_actions(actions, found)
    return Checked(
        good,
        [*single.held, *held_bars(bars.loc[reasons.text.index], reasons), *held, *_missing_splits(restated)],
        left,
        [*(row for row in single.repaired if _is_good(row, good)), *held_bars(bars.loc[why.text.index], why)],
        _told_moves(bars, moves),
    )


def _judge(
    bars: pd.DataFrame,
    known: Known,
    splits: pd.DataFrame,
    told: pd.DataFrame,
    *,
    eve: "pd.Series[float]",
    limited: bool,
) -> tuple[pd.DataFrame, Reasons, Reasons, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """``bars`` against what is stored, and among their neighbours; ``told``: the true ``splits`` and refused ones.

    The good ones, why others are held, which of the good ones were put right, the line of good and stored sessions,
    the restated tickers (check_restated), and the wild moves that stay (check_neighbours).
    """
    beside = against(bars, known.bars, splits)
    as_stored = stored_as(beside.bars)
    table = with_closes(beside.bars, as_stored).assign(off=beside.bars["off"].mask(as_stored.notna(), 0.0))
    reasons, why = Reasons(table.index), Reasons(table.index)
    restated = check_restated(table, beside.known, splits, reasons)
    rest = table[~reasons.bad]
    line = line_of(rest, _from_base(as_corrected(beside.known, rest), eve))
    moves = check_neighbours(line, told, reasons, limited=limited, read_again=_read_again(table))
    as_before = close_before(table, line, reasons)
    why.add(as_stored.notna() | as_before.notna(), REPEATED)
    reasons.text[as_before.notna()] = ""
    good = with_closes(table, as_before)[~reasons.bad]
    line = line[~line["row"].isin(reasons.text.index[reasons.bad | as_before.notna()])]
    return good[bars.columns], reasons, why, line, restated, moves


def _told_moves(bars: pd.DataFrame, moves: pd.DataFrame) -> list[str]:
    """A note of each of the wildest of ``moves`` (meta_id, trade_date, factor)."""
    ticker = bars.drop_duplicates("meta_id").set_index("meta_id")["ticker"]
    wildest = moves.assign(size=log(moves["factor"]).abs()).sort_values("size", ascending=False).head(SHOWN_MOVES)
    notes = [
        f"{ticker[meta_id]} moved x{factor:.4g} on {day:%Y-%m-%d}, and stayed: it is stored, no split explains it"
        for meta_id, day, factor in zip(wildest["meta_id"], wildest["trade_date"], wildest["factor"], strict=True)
    ]
    left = len(moves) - len(notes)
    return [*notes, f"{left} more moves of over x4 that no split explains are stored"] if left else notes


def _read_again(table: pd.DataFrame) -> pd.Index:
    """The rows of shares that have not traded for days: an answer is quoted in the shares of its last day."""
    age = table["basis_date"] - table.groupby("meta_id")["trade_date"].transform("max")
    return table.index[age >= CONFIRMED_AFTER]


def _eve(bars: pd.DataFrame, base: "pd.Series[float] | None") -> "pd.Series[float]":
    """The base price of each ticker's only bar, by meta_id."""
    if base is None:
        return pd.Series(dtype=float)
    mine = base.reindex(bars.index)
    known = mine[(mine > 0) & ~bars["meta_id"].duplicated(keep=False)]
    return known.set_axis(bars.loc[known.index, "meta_id"])


def _from_base(known: pd.DataFrame, eve: "pd.Series[float]") -> pd.DataFrame:
    """``known`` in the shares that the exchange counts from: rights and consolidations move the close before."""
    if eve.empty or known.empty:
        return known
    factor = (known["meta_id"].map(eve) / known["close"]).fillna(1.0)
    return known.assign(**{name: known[name] * factor for name in PRICES})


def _splits(bars: pd.DataFrame, actions: pd.DataFrame, known: Known) -> tuple[pd.DataFrame, Found, pd.DataFrame]:
    """The ``actions`` that can be true as far as splits go, why others cannot, and the splits among those."""
    absurd = action_checks.absurd_splits(actions)
    closed = action_checks.at_weekend(actions, bars, known.actions) & ~absurd
    kept = actions[~absurd & ~closed]
    stored = splits_of(known.actions)
    splits = kept.loc[kept["kind"] == "split", ["meta_id", "ex_date", "value"]]
    seen = pd.MultiIndex.from_frame(stored[["meta_id", "ex_date"]])
    new = splits[~pd.MultiIndex.from_frame(splits[["meta_id", "ex_date"]]).isin(seen)]
    others = splits_of(kept.drop(index=new.index), known.actions)
    untold = untold_splits(bars, known.bars, new, others)
    found: Found = [(index, "a ratio that no split has, or no amount", None) for index in actions.index[absurd]]
    found += [(index, "an ex-date at the weekend", None) for index in actions.index[closed]]
    found += [(index, "a split that the prices do not show", None) for index in untold]
    refused = stacked(actions[(absurd | closed) & (actions["value"] > 0)], kept.loc[untold])
    return kept.drop(index=untold), found, refused


def _missing_splits(restated: pd.DataFrame) -> list[dict[str, Any]]:
    """What would explain a restated history: a split that the source does not name, for an operator to release."""
    return [
        held_action(
            row | {"kind": "split", "ex_date": row["since"], "value": None},
            "the source restated the history and names no split",
            {"value": float(f"{row['ratio']:.6g}")},
        )
        for row in restated.to_dict("records")
    ]


def _other_currency(bars: pd.DataFrame, actions: pd.DataFrame, known: Known, currency: str) -> dict[int, str]:
    """Why the tickers whose answer is in the wrong money are held: {meta_id: reason}."""
    asked = pd.concat([bars["meta_id"], actions["meta_id"]]).unique() if len(bars) or len(actions) else []
    if currency in MINOR_UNITS:
        return {int(ticker): f"quoted in {currency}, a hundredth of its currency" for ticker in asked}
    if known.bars.empty:
        return {}
    stored = known.bars.drop_duplicates("meta_id", keep="last").set_index("meta_id")["currency"]
    changed = stored[(stored != currency) & stored.index.isin(asked)]
    return {int(str(ticker)): f"quoted in {currency}, stored in {was}" for ticker, was in changed.items()}


def _without(
    bars: pd.DataFrame, actions: pd.DataFrame, known: Known, currency: str, foreign: dict[int, str]
) -> Checked:
    """The answer with all of the ``foreign`` tickers held."""
    theirs, paid = bars["meta_id"].isin(foreign), actions["meta_id"].isin(foreign)
    rest = Known(*(frame[~frame["meta_id"].isin(foreign)] for frame in (known.bars, known.actions)))
    checked = check_answer(bars[~theirs], actions[~paid], rest, currency=currency) if not theirs.all() else None
    reasons = Reasons(bars.index)
    hundredth = pd.Series(1 / MINOR_UNIT if currency in MINOR_UNITS else np.nan, index=bars.index)
    reasons.add(theirs, bars["meta_id"].map(foreign), hundredth)
    held = held_bars(bars, reasons)
    for row in held if currency in MINOR_UNITS else []:
        row["proposal"]["currency"] = MINOR_UNITS[currency]
    held += [held_action(row, foreign[row["meta_id"]], None) for row in actions[paid].to_dict("records")]
    if checked is None:
        return Checked(bars[~theirs], held, actions[~paid])
    return replace(checked, held=[*held, *checked.held])


def _is_good(repaired: dict[str, Any], good: pd.DataFrame) -> bool:
    """Whether a repaired row passed the other checks too."""
    day = pd.Timestamp(repaired["trade_date"])
    return bool(((good["meta_id"] == repaired["meta_id"]) & (good["trade_date"] == day)).any())
