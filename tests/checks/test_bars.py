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
        (("BAD", "2026-03-19", NAN, NAN, NAN, 5e-324, 2000.0), "a price that no market has"),
        (("BAD", "2026-03-19", NAN, NAN, NAN, 1e308, 2000.0), "a price that no market has"),
        (("BAD", "2026-03-19", 11.0, 10.0, 13.0, 12.0, 2000.0), "low over high"),
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
    ("prices", "stored", "reason"),
    [
        ((11.0, 13.0, 10.0, 13.5), [11.0, NAN, 10.0, 13.5], "close over high: stored without high"),
        ((11.0, 13.0, 10.0, 9.6), [11.0, 13.0, NAN, 9.6], "close under low: stored without low"),
        ((13.5, 13.0, 10.0, 12.0), [NAN, 13.0, 10.0, 12.0], "open outside low and high: stored without open"),
        ((0.5002, 0.5, 0.4, 0.4), [NAN, 0.5, 0.4, 0.4], "open outside low and high: stored without open"),
        ((18.0, 13.0, 10.0, 12.0), [NAN, 13.0, 10.0, 12.0], "open outside low and high: stored without open"),
        ((13.2, 13.0, 10.0, 13.5), [13.2, NAN, 10.0, 13.5], "close over high: stored without high"),
        ((9.0, 13.0, 10.0, 13.5), [NAN, NAN, 10.0, 13.5], "close over high: stored without open, high"),
    ],
)
def test_the_close_stays_and_only_what_it_says_cannot_be_is_left_out(
    prices: tuple[float, float, float, float], stored: list[float], reason: str
) -> None:
    checked = check_bars(frame(("TENT", "2026-03-19", *prices, 2000.0)))
    assert_prices(checked.good, stored)
    assert [(repaired["reason"], repaired["payload"]["open"]) for repaired in checked.repaired] == [(reason, prices[0])]
    assert checked.held == []


@pytest.mark.parametrize(
    ("prices", "stored", "reason"),
    [
        (
            (72.0, 7201.5, 71.3, 72.0),
            [72.0, NAN, 71.3, 72.0],
            "high a hundred times over open and close: stored without high",
        ),
        (
            (72.0, 73.0, 0.713, 72.0),
            [72.0, 73.0, NAN, 72.0],
            "low a hundred times under open and close: stored without low",
        ),
        (
            (7200.0, 7201.5, 71.3, 72.0),
            [NAN, NAN, 71.3, 72.0],
            "open a hundred times off the close: stored without open, high",
        ),
        (
            (72.0, 300.0, 71.3, 72.0),
            [72.0, NAN, 71.3, 72.0],
            "high more than four times over open and close: stored without high",
        ),
        (
            (72.0, 73.0, 17.0, 72.0),
            [72.0, 73.0, NAN, 72.0],
            "low more than four times under open and close: stored without low",
        ),
    ],
)
def test_a_field_in_another_unit_is_left_out(
    prices: tuple[float, float, float, float], stored: list[float], reason: str
) -> None:
    checked = check_bars(frame(("ONE", "2026-03-19", *prices, 2000.0)))
    assert_prices(checked.good, stored)
    assert ([row["reason"] for row in checked.repaired], checked.held) == ([reason], [])


def test_a_session_may_go_four_times_up_and_down() -> None:
    checked = check_bars(frame(("GME", "2026-03-19", 72.0, 287.0, 18.1, 72.0, 2000.0)))
    assert_prices(checked.good, [72.0, 287.0, 18.1, 72.0])


def test_where_the_exchange_has_limits_they_judge_how_far_it_may() -> None:
    """Liquidation trading of KONEX 288490."""
    row = ("KR", "2026-01-29", 690.0, 690.0, 6.0, 7.0, 2647669.0)
    assert_prices(check_bars(frame(row), "KRW", limited=True).good, [690.0, 690.0, 6.0, 7.0])


def beside(*closes: float) -> list[Row]:
    """CLC.L of 2024-04-08 with the ``closes`` of the sessions before and after it."""
    days = ("2024-04-05", "2024-04-09")
    flat: list[Row] = [("CLC", day, close, close, close, close, 0.0) for day, close in zip(days, closes, strict=False)]
    return [*flat, ("CLC", "2024-04-08", 0.6, 0.5015, 0.5, 0.6, 29862.0)]


def test_a_close_that_its_neighbours_have_stays_and_the_range_of_another_session_goes() -> None:
    checked = check_bars(frame(*beside(0.6, 0.58)))
    assert_prices(checked.good[checked.good["volume"] > 0], [0.6, NAN, NAN, 0.6])
    assert [(str(row["trade_date"]), row["reason"]) for row in checked.repaired] == [
        ("2024-04-08", "low and high of another session than the close: stored without high, low")
    ]
    assert checked.held == []


@pytest.mark.parametrize("closes", [(0.6, 0.5), (0.5, 0.6), (0.6,), ()], ids=["after", "before", "newest", "only"])
def test_a_close_that_a_neighbour_has_not_is_held(closes: tuple[float, ...]) -> None:
    checked = check_bars(frame(*beside(*closes)))
    assert [(str(row["trade_date"]), row["reason"]) for row in checked.held] == [
        ("2024-04-08", "close outside low and high")
    ]
    assert checked.repaired == []


@pytest.mark.parametrize("volume", [NAN, 0.0])
def test_a_row_without_a_price_and_a_trade_is_none(volume: float) -> None:
    checked = check_bars(frame(("PSH", "2026-03-19", NAN, NAN, NAN, NAN, volume), GOOD))
    assert (list(checked.good["ticker"]), checked.held, checked.repaired) == (["GOOD"], [], [])


def assert_prices(good: pd.DataFrame, prices: list[float]) -> None:
    """The only row of ``good`` has these open, high, low and close."""
    expected = pd.DataFrame([prices], columns=["open", "high", "low", "close"], index=good.index)
    pd.testing.assert_frame_equal(good[list(expected.columns)], expected)


def test_korea_quotes_whole_won_and_needs_no_tick() -> None:
    checked = check_bars(frame(("WON", "2026-03-19", 1001.0, 1000.0, 900.0, 950.0, 2000.0)), "KRW")
    assert [row["reason"] for row in checked.repaired] == ["open outside low and high: stored without open"]


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
