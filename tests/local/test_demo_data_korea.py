"""The simulated Korean market keeps the exchange's rules, and its files say what the market did."""

from datetime import date

import numpy as np
import pytest

from local.demo_data.korea import Market, market
from local.demo_data.korea_files import change_codes, later_splits
from local.demo_data.korea_rules import ex_dates, isin, limits, tick, to_tick


@pytest.fixture(scope="module")
def simulated() -> Market:
    return market()


def test_the_same_seed_gives_the_same_market(simulated: Market) -> None:
    again = market.__wrapped__()
    assert again is not simulated
    assert np.array_equal(again.close, simulated.close)
    assert np.array_equal(again.volume, simulated.volume)


@pytest.mark.parametrize(
    ("price", "size"),
    [
        (1_999, 1),
        (2_000, 5),
        (5_000, 10),
        (20_000, 50),
        (50_000, 100),
        (200_000, 500),
        (499_500, 500),
        (500_000, 1_000),
    ],
)
def test_tick_sizes(price: int, size: int) -> None:
    assert tick(np.array([price])).tolist() == [size]


def test_limits_are_prices_that_can_be_quoted() -> None:
    base = np.array([10_000, 804, 10_000, 10_000])
    konex, first_day = np.array([False, False, True, False]), np.array([False, False, False, True])
    lowest, highest = limits(base, konex, first_day)
    assert lowest.tolist() == [7_000, 563, 8_500, 6_000]
    assert highest.tolist() == [13_000, 1_045, 11_500, 40_000]  # 804 won and 1,045: seen at KRX on 2026-03-19


@pytest.mark.parametrize(
    ("code", "expected"),
    [("005930", "KR7005930003"), ("0126Z0", "KR70126Z0002"), ("00680K", "KR700680K019"), ("0044K0", "KR70044K0008")],
)
def test_isin_as_the_exchange_writes_it(code: str, expected: str) -> None:
    assert isin(code) == expected


def test_ex_dates_are_the_last_session_but_one_of_each_quarter() -> None:
    days = [date(2024, 3, 27), date(2024, 3, 28), date(2024, 3, 29), date(2024, 4, 1), date(2024, 4, 30)]
    days += [date(2024, 12, 26), date(2024, 12, 27), date(2024, 12, 30)]
    assert [days[k] for k in ex_dates(days)] == [date(2024, 3, 28), date(2024, 12, 27)]


def test_codes_are_text_of_six_that_no_real_share_has(simulated: Market) -> None:
    assert simulated.codes[:8] == ["990000", "990010", "990020", "9900D0", "990040", "990050", "990060", "99007K"]
    assert len(set(simulated.codes)) == len(simulated.codes) == 150
    assert all(len(code) == 6 and code.startswith("99") for code in simulated.codes)
    assert sum(not code.isdigit() for code in simulated.codes) == 18
    assert all("모의" in name and "(Simulated)" in name for name in simulated.names)


def test_every_price_can_be_quoted_and_stays_within_the_limits(simulated: Market) -> None:
    trading = simulated.listed & ~simulated.halted
    lowest, highest = limits(simulated.base, simulated.konex, simulated.first_day)
    for prices in (simulated.open, simulated.high, simulated.low, simulated.close):
        quoted = prices[trading]
        assert np.all(quoted % tick(quoted) == 0)
        assert np.all((quoted >= lowest[trading]) & (quoted <= highest[trading]))
    change = np.abs(simulated.close - simulated.base)[trading & ~simulated.first_day]
    assert np.all(change * 100 <= simulated.base[trading & ~simulated.first_day] * 30)
    assert np.all(simulated.high >= np.maximum(simulated.open, simulated.close * trading))
    assert np.all(simulated.low <= np.minimum(simulated.open, simulated.close))
    assert np.all(simulated.volume[trading] > 0)


def test_the_base_price_is_the_close_before_adjusted_for_the_split(simulated: Market) -> None:
    before = simulated.close[:-1] * simulated.old_shares[1:] / simulated.new_shares[1:]
    followed = simulated.listed[:-1] & simulated.listed[1:]
    assert np.array_equal(simulated.base[1:][followed], to_tick(before)[followed])
    unsplit = followed & (simulated.new_shares[1:] == simulated.old_shares[1:])
    assert np.array_equal(simulated.base[1:][unsplit], simulated.close[:-1][unsplit])


def test_the_number_of_shares_moves_with_a_split_and_never_else(simulated: Market) -> None:
    assert np.array_equal(
        simulated.shares[1:] * simulated.old_shares[1:], simulated.shares[:-1] * simulated.new_shares[1:]
    )
    assert np.sum(simulated.new_shares > 1) == 12
    assert np.sum(simulated.old_shares > 1) == 8


def test_a_halted_session_keeps_its_close_and_trades_nothing(simulated: Market) -> None:
    halted = simulated.halted & simulated.listed
    assert halted.sum() > 100
    for values in (simulated.open, simulated.high, simulated.low, simulated.volume, simulated.amount):
        assert not values[halted].any()
    assert np.array_equal(simulated.close[halted], simulated.base[halted])
    assert set(change_codes(simulated)[halted].tolist()) == {0}


def test_listings_and_delistings(simulated: Market) -> None:
    assert simulated.first_day.sum() == 12
    assert not simulated.listed[:-1][simulated.first_day[1:]].any()
    gone = ~simulated.listed[-1]
    assert gone.sum() == 6
    last = len(simulated.days) - 1 - np.argmax(simulated.listed[::-1, gone], axis=0)
    assert simulated.halted[last, np.flatnonzero(gone)].all()  # merged companies leave after a halt


def test_a_share_falls_by_its_dividend_on_the_ex_date(simulated: Market) -> None:
    paid = simulated.dividend > 0
    assert {simulated.days[k].month for k in np.flatnonzero(paid.any(axis=1))} == {3, 6, 9, 12}
    large = simulated.dividend > simulated.base * 0.02
    opened = simulated.open[large] / simulated.base[large] - 1
    assert np.median(opened) < -0.02


def test_history_in_the_last_day_s_shares_has_no_remainder(simulated: Market) -> None:
    new, old = later_splits(simulated)
    assert not ((simulated.close * old) % new)[simulated.listed].any()
    assert not ((simulated.open * old) % new)[simulated.listed].any()
