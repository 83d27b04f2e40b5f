"""Sessions without a trade that repeat the last close in another unit (CLC.L, July 2024)."""

import pandas as pd

from include.insight_invest.checks.verdict import Checked
from tests.checks.answers import Close, checked, held

DAYS = [str(day.date()) for day in pd.bdate_range("2024-07-22", periods=9)]
REPEATED = "no trade, and the close before in another unit: stored as that close"


def closes(*values: float) -> list[Close]:
    return list(zip(DAYS, values, strict=False))


def stored_closes(result: Checked) -> list[tuple[str, float]]:
    """(day, close) of the good rows, all of whose prices are one."""
    assert (result.good[["open", "high", "low"]].eq(result.good["close"], axis=0)).all(axis=None)
    return [(str(day.date()), close) for day, close in result.good[["trade_date", "close"]].itertuples(index=False)]


def repaired(result: Checked) -> list[tuple[str, str, float]]:
    return [(str(row["trade_date"]), row["reason"], row["payload"]["close"]) for row in result.repaired]


def test_they_are_stored_as_the_close_before() -> None:
    result = checked(closes(0.6, 0.6, 0.006, 0.006, 0.58), volume=0.0)
    assert stored_closes(result) == closes(0.6, 0.6, 0.6, 0.6, 0.58)
    assert repaired(result) == [(DAYS[2], REPEATED, 0.006), (DAYS[3], REPEATED, 0.006)]
    assert held(result) == []


def test_on_the_day_itself_the_stored_close_before_says_so() -> None:
    result = checked([(DAYS[2], 0.006)], stored=[(DAYS[1], 0.6, DAYS[1])], volume=0.0)
    assert (stored_closes(result), held(result)) == ([(DAYS[2], 0.6)], [])


def test_read_again_they_say_what_is_stored() -> None:
    stored = [(day, 0.6, DAYS[4]) for day in DAYS[:4]]
    result = checked(closes(0.006, 0.006, 0.006, 0.006, 0.006), stored=stored, volume=0.0)
    assert (stored_closes(result), held(result)) == (closes(0.6, 0.6, 0.6, 0.6, 0.6), [])


def test_with_a_trade_it_is_held() -> None:
    result = checked(closes(0.6, 0.61, 0.006, 0.6), volume=100.0)
    assert held(result) == [(DAYS[2], "bar", "a jump that comes back")]


def test_at_another_price_it_is_held() -> None:
    result = checked(closes(0.6, 0.6, 0.0065, 0.6), volume=0.0)
    assert held(result) == [(DAYS[2], "bar", "a jump that comes back")]
