"""The factor of a restated history, from closes in whole won."""

import numpy as np
import pytest

from include.insight_invest.checks.ratio import Ratio, infer_ratio


def infer(before: list[float], restated: list[float], **candidates: float) -> Ratio | None:
    closes = np.array(before, dtype=np.float64)
    return infer_ratio(closes, np.array(restated, dtype=np.float64), np.zeros(len(closes)), candidates)


def value(before: list[float], restated: list[float], **candidates: float) -> tuple[float, str] | None:
    ratio = infer(before, restated, **candidates)
    return None if ratio is None else (ratio.value, ratio.how)


def test_one_share_became_fifty() -> None:
    """005930 before 2018-05-04; Naver cuts its restated prices to whole won, or below."""
    assert infer([2_607_000, 2_650_000], [52_140, 53_000]) == Ratio(
        value=50.0,
        low=pytest.approx(49.99906, abs=1e-5),  # type: ignore[arg-type]
        high=pytest.approx(50.00047, abs=1e-5),  # type: ignore[arg-type]
        sessions=2,
        agreeing=2,
        how="simple",
    )


def test_ten_shares_became_one() -> None:
    assert value([342, 350], [3420, 3500]) == (0.1, "simple")


def test_a_bonus_of_one_for_two() -> None:
    assert value([19_070, 19_600], [12_713, 13_066]) == (1.5, "simple")


def test_the_move_of_the_number_of_shares_where_it_explains_the_prices() -> None:
    """001840: 22,283,636 shares became 16,265,427, a ratio of no small numbers."""
    assert value([1616], [2213], stocks=16_265_427 / 22_283_636) == (16_265_427 / 22_283_636, "stocks")


def test_the_move_of_the_base_price_where_it_explains_the_prices() -> None:
    """010640: rights, for which KRX took 3,290 won for 2,805."""
    assert value([3240, 3290], [2762, 2805], stocks=1.0, base=3290 / 2805) == (3290 / 2805, "base")


def test_a_factor_that_nothing_explains_is_kept_as_measured() -> None:
    ratio = infer([32_400, 32_900], [27_620, 28_046], base=1.2)
    assert ratio is not None
    assert ratio.how == "measured"
    assert ratio.value == pytest.approx(1.17306, abs=1e-5)
    assert ratio.low < ratio.value < ratio.high


def test_nothing_was_restated() -> None:
    ratio = infer([2105, 2100], [2105, 2100])
    assert ratio is not None
    assert ratio.is_one


def test_a_small_factor_is_told_from_none_where_the_price_is_high_enough() -> None:
    for before, restated, is_one in ((3685, 3670, False), (300, 299, True)):
        ratio = infer([before], [restated])
        assert ratio is not None
        assert ratio.is_one == is_one


def test_a_session_that_one_of_the_two_has_corrected_is_outvoted() -> None:
    ratio = infer([1000, 1010, 1020, 1030, 1500], [500, 505, 510, 515, 525])
    assert ratio is not None
    assert (ratio.value, ratio.sessions, ratio.agreeing) == (2.0, 5, 4)


def test_two_halves_are_no_single_factor() -> None:
    assert infer([1000, 1010, 1020, 1030], [500, 505, 102, 103]) is None


def test_without_sessions_there_is_no_factor() -> None:
    assert infer([], []) is None
    assert infer([3], [1]) is None  # of one won nothing can be told
