"""KRX's rules: ticks, limits and base prices, on literal rows and on 63 real sessions of the whole market."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from include.insight_invest import sessions
from include.insight_invest.checks.korea import (
    BEYOND,
    base_moves,
    copied_share,
    hold_beyond_limits,
    session_days,
    tick,
)
from include.insight_invest.sources.reader import without_halt_zeros
from tests.runner import marcap

NAN = float("nan")
DAYS = session_days(sessions.sessions("XKRX", date(1990, 1, 1), date(2026, 12, 31)))
NOTHING = pd.DataFrame(
    {
        "stored_day": pd.Series(dtype="datetime64[ns]"),
        "stored_close": pd.Series(dtype=float),
        "halted_on": pd.Series(dtype="datetime64[ns]"),
    }
)


@pytest.mark.parametrize(
    ("day", "price", "size"),
    [
        ("2026-01-20", 1999, 1),
        ("2026-01-20", 2022, 5),
        ("2026-01-20", 20_000, 50),
        ("2026-01-20", 500_000, 1000),
        ("2023-01-20", 1335, 5),
        ("2023-01-25", 1335, 1),
    ],
)
def test_ticks_are_those_of_the_day(day: str, price: float, size: float) -> None:
    assert tick(np.array([price]), date.fromisoformat(day)).tolist() == [size]


# Limits -------------------------------------------------------------------------------------------------------------


def bars(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """Bars of one ticker: day, close, volume; its other prices are the close."""
    frame = pd.DataFrame(rows, columns=["trade_date", "close", "volume"]).assign(meta_id=1, ticker="005930")
    frame["trade_date"] = pd.to_datetime(frame["trade_date"])
    prices = {name: frame["close"].mask(frame["volume"] == 0) for name in ("open", "high", "low")}
    return frame.assign(**prices, basis_date=frame["trade_date"].max())


def held(*rows: tuple[str, float, float], market: str = "KOSPI") -> list[str]:
    _, back = hold_beyond_limits(bars(*rows), None, NOTHING, DAYS, {1: market})
    assert {row["reason"] for row in back} <= {BEYOND}
    return [str(row["trade_date"]) for row in back]


@pytest.mark.parametrize(
    ("before", "day", "close", "is_held"),
    [
        ("2026-01-07", "2026-01-08", 13_000, False),
        ("2026-01-07", "2026-01-08", 13_020, True),
        ("2026-01-07", "2026-01-08", 7000, False),
        ("2026-01-07", "2026-01-08", 6980, True),
        ("2015-06-12", "2015-06-15", 13_000, False),
        ("2015-06-11", "2015-06-12", 11_500, False),
        ("2015-06-11", "2015-06-12", 11_600, True),
        ("1998-12-04", "1998-12-05", 15_000, False),
        ("1998-12-05", "1998-12-07", 11_600, True),
    ],
)
def test_limits_are_those_of_the_day(before: str, day: str, close: float, is_held: bool) -> None:
    assert held((before, 10_000, 5), (day, close, 5)) == ([day] if is_held else [])


def test_konex_has_15_percent() -> None:
    assert held(("2026-01-07", 10_000, 5), ("2026-01-08", 11_600, 5), market="KONEX") == ["2026-01-08"]


def test_over_a_missing_session_nothing_is_judged() -> None:
    assert held(("2026-01-06", 10_000, 5), ("2026-01-08", 16_000, 5)) == []


def test_a_move_of_50_percent_is_free_for_seven_sessions_after_a_halt() -> None:
    days = ["2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09", "2026-01-12", "2026-01-13", "2026-01-14"]
    falling = [(day, 1000.0 / 2**number, 5.0) for number, day in enumerate([*days, "2026-01-15"], 1)]
    assert held(("2026-01-05", 1000, 0), *falling) == ["2026-01-15"]


# The base price -----------------------------------------------------------------------------------------------------


def moved(
    stored: float, base: float, close: float, *, stocks: tuple[float, float] = (100, 100), **options: Any
) -> bool:
    """Whether 2026-01-20 is a move, after a close of ``stored`` won on ``stored_day``, the session before."""
    quotes = pd.DataFrame(
        {
            "meta_id": [1],
            "trade_date": [pd.Timestamp("2026-01-20")],
            "close": [close],
            "base": [base],
            "stocks_before": [stocks[0]],
            "stocks": [stocks[1]],
        }
    )
    before = pd.DataFrame(
        {
            "stored_day": [pd.Timestamp(options.get("stored_day", "2026-01-19"))],
            "stored_close": [stored],
            "stored_error": [options.get("error", 0.0)],
        }
    )
    return len(base_moves(quotes, before, date(2026, 1, 19))) == 1


def test_a_base_price_beyond_a_tick_is_a_move() -> None:
    assert moved(16_970, 8490, 9880)
    assert moved(5860, 5950, 5740)
    assert moved(1335, 1331, 1331)


def test_the_close_before_rounded_to_a_tick_is_none() -> None:
    assert not moved(2022, 2025, 2030)
    assert not moved(17_035, 17_040, 16_800)
    assert moved(2022, 2027, 2030)


def test_a_stored_close_that_was_restated_is_known_to_a_won() -> None:
    assert moved(1459, 1460, 1470)
    assert not moved(1459, 1460, 1470, error=1.0)


def test_the_number_of_shares_alone_is_no_move_and_with_the_price_it_is() -> None:
    assert not moved(2080, 2080, 2100, stocks=(29_129_064, 30_000_000))
    assert not moved(2080, 2080, 86, stocks=(29_129_064, 29_129_064))
    assert moved(2080, 2080, 625_000, stocks=(29_129_064, 19_419))


def test_after_a_missing_session_only_a_price_beyond_the_limits_is_a_move() -> None:
    assert not moved(16_970, 14_000, 14_100, stored_day="2026-01-16")
    assert moved(16_970, 8490, 8600, stored_day="2026-01-16")


def test_what_has_no_close_before_is_none() -> None:
    assert not moved(NAN, 8490, 8600, stored_day=None)


# Copies -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("same", "share"), [(10, 1.0), (7, 0.7), (0, 0.0)])
def test_how_many_rows_repeat_the_session_before(same: int, share: float) -> None:
    now = pd.DataFrame([(100.0, 120.0, 90.0, 110.0, 1000.0)] * 10, columns=["open", "high", "low", "close", "volume"])
    before = now.assign(volume=[1000.0] * same + [999.0] * (10 - same))
    assert copied_share(now, before) == share
    assert copied_share(now[:9], before[:9]) == 0  # too few to say


# The whole market of 2023 and 2026 ----------------------------------------------------------------------------------


@pytest.fixture(params=[2023, 2026])
def market(request: pytest.FixtureRequest, shared_data: Path) -> pd.DataFrame:
    frame = marcap.read(shared_data, request.param)
    numbers = {name: frame[name.title()].astype(float) for name in ("open", "high", "low", "close", "volume", "stocks")}
    halted = frame["Open"] == 0
    prices = {name: numbers[name].mask(halted) for name in ("open", "high", "low")}
    meta_ids = frame.groupby("Code").ngroup() + 1
    rows = frame.assign(**numbers | prices, meta_id=meta_ids, ticker=frame["Code"], trade_date=frame["Date"])
    rows = rows.assign(basis_date=frame["Date"], base=rows["close"] - frame["Changes"])
    before = rows.groupby("meta_id")
    return rows.assign(
        stored_close=before["close"].shift(), stored_day=before["Date"].shift(), stocks_before=before["stocks"].shift()
    )


def test_of_all_sessions_26_and_16_base_prices_are_not_the_close_before(market: pd.DataFrame) -> None:
    """The list of them is in tests/runner/test_korea_recorded.py; 60 of 85 differences of 2026 are KRX's rounding."""
    found = []
    for day, rows in market.groupby("trade_date"):
        before = rows[["stored_close", "stored_day"]].assign(stored_error=0.0)
        quotes = rows.drop(columns=["stored_close", "stored_day"])
        found.append(base_moves(quotes, before, sessions.back("XKRX", pd.Timestamp(str(day)).date(), 1)))
    moves = pd.concat(found)
    differ = (market["base"] != market["stored_close"]) & market["stored_close"].notna()
    expected = {2023: (16, 16), 2026: (26, 85)}[market["Date"].dt.year.iloc[0]]
    assert (len(moves), int(differ.sum())) == expected


def test_no_true_row_is_beyond_its_limits(market: pd.DataFrame) -> None:
    """Liquidation trading (down to -98 %) and first days (up to +300 %) included: 176,211 rows in the two years."""
    markets = dict(zip(market["meta_id"], market["Market"], strict=True))
    first = market.groupby("meta_id")["trade_date"].min()
    listed = first.index[first > market["trade_date"].min()].tolist()
    _, back = hold_beyond_limits(market, market["base"], NOTHING, DAYS, markets, listed)
    assert back == []


@pytest.mark.parametrize("base", [float("nan"), 0.0])
def test_without_a_base_price_the_close_before_is_judged(base: float) -> None:
    before = pd.DataFrame(
        {"stored_day": ["2026-01-07"], "stored_close": [1002.0], "halted_on": [None]},
        index=pd.Index([1], name="meta_id"),
    ).astype({"stored_day": "datetime64[s]", "halted_on": "datetime64[s]"})
    row = bars(("2026-01-08", 9000, 5))
    _, back = hold_beyond_limits(row, pd.Series([base], row.index), before, DAYS, {1: "KOSPI"})
    assert [held["reason"] for held in back] == [BEYOND]


def test_the_first_bar_of_a_share_has_the_limits_of_a_first_day_only_where_it_was_listed_that_day() -> None:
    row = bars(("2026-01-08", 33_300, 5))
    base = pd.Series([10_000.0], row.index)
    good, back = hold_beyond_limits(row, base, NOTHING, DAYS, {1: "KOSPI"})
    assert (len(good), [held["reason"] for held in back]) == (0, [BEYOND])
    good, back = hold_beyond_limits(row, base, NOTHING, DAYS, {1: "KOSPI"}, listed=[1])
    assert (len(good), back) == (1, [])


def test_without_a_base_price_only_what_is_not_restated_yet_is(market: pd.DataFrame) -> None:
    markets = dict(zip(market["meta_id"], market["Market"], strict=True))
    _, back = hold_beyond_limits(market, None, NOTHING, DAYS, markets)
    bonus_issues = {
        2023: ["086960", "311320"],
        2026: ["059120", "084010", "373170", "406820", "482630"],
    }[market["Date"].dt.year.iloc[0]]
    assert sorted(row["ticker"] for row in back) == bonus_issues


def test_recorded_histories_keep_to_their_limits(shared_data: Path) -> None:
    """005930 from 1990 to 2023, and ten shares from December 2023 to June 2025: 12,043 rows."""
    for file in sorted((shared_data / "kr_daily").glob("*.csv")):
        frame = pd.read_csv(file)
        if "date" not in frame:
            frame.columns = ["date", "open", "high", "low", "close", "volume", "change"]
        days = pd.to_datetime(frame["date"].astype(str))
        prices = without_halt_zeros(frame.astype(dict.fromkeys(["open", "high", "low", "close", "volume"], float)))
        rows = prices.assign(meta_id=1, ticker=file.stem, trade_date=days, basis_date=days.max())
        _, back = hold_beyond_limits(rows, None, NOTHING, DAYS, {1: "KOSPI"})
        assert back == []
