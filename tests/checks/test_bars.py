"""Row checks on bars: each bad row beside a good one."""

from datetime import date

import pandas as pd
import pytest

from include.insight_invest.checks.bars import check_bars, only_sessions
from include.insight_invest.sources.base import BAR_COLUMNS

NAN, INF = float("nan"), float("inf")
# ticker, day, open, high, low, close, volume
Row = tuple[str, str, float, float, float, float, float]
GOOD: Row = ("GOOD", "2026-03-19", 11.0, 13.0, 10.0, 12.0, 2000.0)


def frame(*rows: Row) -> pd.DataFrame:
    """Bars as a source gives them, quoted on 2026-03-20; each ticker's meta_id is its place in the alphabet."""
    bars = pd.DataFrame(rows, columns=["ticker", "trade_date", "open", "high", "low", "close", "volume"])
    meta_ids = {ticker: number for number, ticker in enumerate(sorted(set(bars["ticker"])), start=1)}
    bars = bars.assign(
        trade_date=pd.to_datetime(bars["trade_date"]),
        meta_id=bars["ticker"].map(meta_ids),
        basis_date=pd.Timestamp("2026-03-20"),
    )
    return bars[list(BAR_COLUMNS)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (("BAD", "2026-03-19", 11.0, 13.0, 10.0, NAN, 2000.0), "no close"),
        (("BAD", "2026-03-19", INF, INF, 10.0, 12.0, 2000.0), "a price that is not finite"),
        (("BAD", "2026-03-19", 11.0, 13.0, -INF, 12.0, 2000.0), "a price that is not finite"),
        (("BAD", "2026-03-19", 0.0, 13.0, 0.0, 12.0, 2000.0), "a price that is not positive"),
        (("BAD", "2026-03-19", -11.0, -10.0, -13.0, -12.0, 2000.0), "a price that is not positive"),
        (("BAD", "2026-03-19", 11.0, 10.0, 13.0, 12.0, 2000.0), "low over high"),
        (("BAD", "2026-03-19", 9.0, 13.0, 10.0, 12.0, 2000.0), "open outside low and high"),
        (("BAD", "2026-03-19", 14.0, 13.0, 10.0, 12.0, 2000.0), "open outside low and high"),
        (("BAD", "2026-03-19", 11.0, 13.0, 10.0, 9.0, 2000.0), "close outside low and high"),
        (("BAD", "2026-03-19", 11.0, 13.0, 10.0, 14.0, 2000.0), "close outside low and high"),
        (("BAD", "2026-03-19", 11.0, 13.0, 10.0, 12.0, -1.0), "negative volume"),
        (("BAD", "2026-03-19", 11.0, 13.0, 10.0, 12.0, INF), "a volume that is not finite"),
    ],
)
def test_a_bad_row_is_held_with_its_reason_and_a_good_one_is_not(bad: Row, reason: str) -> None:
    checked = check_bars(frame(bad, GOOD))
    assert list(checked.good["ticker"]) == ["GOOD"]
    assert [(row["ticker"], row["reason"]) for row in checked.held] == [("BAD", reason)]


@pytest.mark.parametrize(
    "good",
    [
        GOOD,
        ("HALT", "2026-03-19", NAN, NAN, NAN, 12.0, 0.0),
        ("FUND", "2026-03-19", 12.0, 12.0, 12.0, 12.0, NAN),
        ("LIMIT", "2026-03-19", 13.0, 13.0, 10.0, 10.0, 1.0),
        ("HAIR", "2026-03-19", 11.0, 13.0, 10.0, 13.00001, 2000.0),
        ("PENNY", "2026-03-19", 0.0001, 0.0001, 0.0001, 0.0001, 1.0),
    ],
)
def test_a_row_at_the_edge_is_good(good: Row) -> None:
    checked = check_bars(frame(good))
    assert (list(checked.good["ticker"]), checked.held) == ([good[0]], [])


def test_a_held_row_carries_its_raw_values() -> None:
    checked = check_bars(frame(("BAD", "2026-03-19", INF, 13.0, NAN, 12.0, 2000.0)))
    assert checked.held == [
        {
            "meta_id": 1,
            "ticker": "BAD",
            "trade_date": date(2026, 3, 19),
            "kind": "bar",
            "reason": "a price that is not finite",
            "payload": {
                "open": "inf",
                "high": 13.0,
                "low": None,
                "close": 12.0,
                "volume": 2000.0,
                "basis_date": "2026-03-20",
            },
            "proposal": None,
        }
    ]


def test_good_rows_keep_their_shape_and_values() -> None:
    bars = frame(GOOD, ("GOOD", "2026-03-20", 12.0, 14.0, 11.0, 13.0, 3000.0))
    pd.testing.assert_frame_equal(check_bars(bars).good, bars)


def test_a_row_that_is_sent_twice_is_one_row() -> None:
    checked = check_bars(frame(GOOD, GOOD))
    assert (len(checked.good), checked.held) == (1, [])


def test_two_different_rows_of_one_day_are_both_held() -> None:
    other = ("GOOD", "2026-03-19", 11.0, 13.0, 10.0, 12.5, 2000.0)
    checked = check_bars(frame(GOOD, other, ("GOOD", "2026-03-18", 11.0, 13.0, 10.0, 12.0, 2000.0)))
    assert [str(day.date()) for day in checked.good["trade_date"]] == ["2026-03-18"]
    assert [(row["payload"]["close"], row["reason"]) for row in checked.held] == [
        (12.0, "two different rows for one day"),
        (12.5, "two different rows for one day"),
    ]


def test_the_first_reason_is_given() -> None:
    checked = check_bars(frame(("BAD", "2026-03-19", -1.0, 13.0, 10.0, 14.0, -5.0)))
    assert [row["reason"] for row in checked.held] == ["a price that is not positive"]


def test_no_bars_are_no_bars() -> None:
    empty = pd.DataFrame(columns=list(BAR_COLUMNS))
    checked = check_bars(empty)
    assert (list(checked.good.columns), len(checked.good), checked.held) == (list(BAR_COLUMNS), 0, [])


# Repairs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        ("TICK", "2026-03-19", 13.01, 13.0, 10.0, 12.0, 2000.0),
        ("TICK", "2026-03-19", 11.0, 13.0, 10.0, 9.99, 2000.0),
        ("PENNY", "2026-03-19", 0.5001, 0.5, 0.4, 0.4, 2000.0),
    ],
)
def test_a_tick_outside_low_and_high_is_stored_as_it_is(row: Row) -> None:
    checked = check_bars(frame(row))
    assert (len(checked.good), checked.held, checked.repaired) == (1, [], [])
    assert checked.good.iloc[0][["open", "close"]].tolist() == [row[2], row[5]]


@pytest.mark.parametrize(
    ("row", "stored", "reason"),
    [
        (
            ("TENT", "2026-03-19", 11.0, 13.0, 10.0, 13.5, 2000.0),
            [NAN, NAN, NAN, 13.5, 2000.0],
            "close a little outside low and high: stored without open, high and low",
        ),
        (
            ("SSW", "2026-03-19", 13.5, 13.0, 10.0, 12.0, 2000.0),
            [NAN, 13.0, 10.0, 12.0, 2000.0],
            "open a little outside low and high: stored without it",
        ),
        (
            ("PENNY", "2026-03-19", 0.5002, 0.5, 0.4, 0.4, 2000.0),
            [NAN, 0.5, 0.4, 0.4, 2000.0],
            "open a little outside low and high: stored without it",
        ),
    ],
)
def test_up_to_5_percent_outside_the_close_stays_and_what_cannot_be_is_left_out(
    row: Row, stored: list[float], reason: str
) -> None:
    checked = check_bars(frame(row))
    values = checked.good[["open", "high", "low", "close", "volume"]].iloc[0]
    pd.testing.assert_series_equal(values, pd.Series(stored, index=values.index), check_names=False)
    assert [(repaired["reason"], repaired["payload"]["open"]) for repaired in checked.repaired] == [(reason, row[2])]
    assert checked.held == []


def test_korea_quotes_whole_won_and_needs_no_tick() -> None:
    checked = check_bars(frame(("WON", "2026-03-19", 1001.0, 1000.0, 900.0, 950.0, 2000.0)), "KRW")
    assert [row["reason"] for row in checked.repaired] == ["open a little outside low and high: stored without it"]


# Sessions ----------------------------------------------------------------------------------------------------------

SESSIONS = [date(2026, 3, 18), date(2026, 3, 19)]


def days_left(*days: str, first_known: date = date(1990, 1, 1)) -> list[str]:
    bars = frame(*(("GOOD", day, 11.0, 13.0, 10.0, 12.0, 2000.0) for day in days))
    return [str(day.date()) for day in only_sessions(bars, SESSIONS, first_known)["trade_date"]]


def test_only_bars_of_sessions_are_left() -> None:
    """2026-03-20 is a live row, 2026-03-21 a Saturday that repeats it."""
    assert days_left("2026-03-17", "2026-03-18", "2026-03-19", "2026-03-20", "2026-03-21") == [
        "2026-03-18",
        "2026-03-19",
    ]


def test_days_before_the_first_known_session_need_only_be_weekdays() -> None:
    """1989-12-29 was a Friday; 1990-01-01 is known not to be a session."""
    assert days_left("1989-12-29", "1989-12-30", "1989-12-31", "1990-01-01") == ["1989-12-29"]


def test_no_bars_have_no_sessions() -> None:
    assert len(only_sessions(pd.DataFrame(columns=list(BAR_COLUMNS)), SESSIONS, date(1990, 1, 1))) == 0
