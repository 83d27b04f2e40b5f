"""Dividends against the prices, against each other and against splits."""

import pytest

from tests.checks.answers import Action, checked, held, proposals

MON, TUE, WED, THU, FRI = (f"2026-03-{day:02}" for day in range(16, 21))
CALM = [(MON, 10.0), (TUE, 10.1), (WED, 10.0), (THU, 10.2), (FRI, 10.1)]
NO_FALL = "a large dividend without a fall of the price"
TWIN = "repeats the dividend of a session or two before"
TINY = "a dividend under a tenth of a cent"
OLD_SHARES = "a dividend in the shares before the split of its day"


@pytest.mark.parametrize(
    ("paid", "reason", "proposal"),
    [
        ((WED, "dividend", 2.0), NO_FALL, 0.02),
        ((WED, "capital_gain", 2.0), NO_FALL, 0.02),
        ((WED, "dividend", 12.0), "a dividend of the whole close or more", 0.12),
        ((WED, "dividend", 0.0001), TINY, 0.01),
    ],
)
def test_a_dividend_that_cannot_be(paid: Action, reason: str, proposal: float) -> None:
    result = checked(CALM, [paid])
    assert held(result) == [(WED, paid[1], reason)]
    assert proposals(result) == [(WED, proposal)]
    assert len(result.good) == 5


@pytest.mark.parametrize("amount", [0.79, 0.02, 0.001], ids=["7.8 percent", "usual", "a tenth of a cent"])
def test_a_dividend_that_can_be(amount: float) -> None:
    assert held(checked(CALM, [(WED, "dividend", amount)])) == []


def test_a_large_dividend_with_its_fall() -> None:
    """ADIG.L: 0.38 on 0.828."""
    assert held(checked([(MON, 0.82), (TUE, 0.828), (WED, 0.455), (THU, 0.46)], [(WED, "dividend", 0.38)])) == []


def test_a_large_dividend_one_session_early_is_proposed_for_the_next() -> None:
    """SCR.TO of 2023-03-14."""
    result = checked([(MON, 2.9), (TUE, 2.88), (WED, 2.47), (THU, 2.5)], [(TUE, "dividend", 0.441)])
    assert held(result) == [(TUE, "dividend", NO_FALL)]
    assert result.held[0]["proposal"] == {"value": 0.441, "ex_date": WED}


def test_where_nobody_traded_no_price_can_fall() -> None:
    assert held(checked([(MON, 10.0), (TUE, 10.0), (WED, 10.0)], [(TUE, "dividend", 2.0)], volume=0.0)) == []


def test_the_close_before_may_be_a_stored_one() -> None:
    result = checked([(TUE, 10.1)], [(TUE, "dividend", 2.0)], stored=[(MON, 10.0, MON)])
    assert held(result) == [(TUE, "dividend", NO_FALL)]


def test_the_phantom_of_a_dividend() -> None:
    """KAP.IL of 2022-07-13."""
    falling = [(MON, 26.2), (TUE, 25.14), (WED, 24.36), (THU, 24.4), (FRI, 24.3)]
    result = checked(falling, [(TUE, "dividend", 1.8135), (WED, "dividend", 1.954)])
    assert held(result) == [(WED, "dividend", TWIN)]
    assert result.held[0]["proposal"] is None


def test_the_true_one_may_be_stored_already() -> None:
    result = checked(
        [(WED, 24.36)],
        [(WED, "dividend", 1.954)],
        stored=[(TUE, 25.14, TUE)],
        stored_actions=[(TUE, "dividend", 1.8135, TUE)],
    )
    assert held(result) == [(WED, "dividend", TWIN)]


MOVED = "a stored dividend that the source has moved to this day: counted twice"


def test_one_that_the_source_has_moved_to_another_day() -> None:
    paid_before = [(TUE, "dividend", 0.1, TUE)]
    result = checked(CALM, [(FRI, "dividend", 0.1)], stored_actions=paid_before)
    assert held(result) == [(FRI, "dividend", MOVED)]
    # a monthly payer's next, and one of before the days that were asked for
    assert held(checked(CALM, [(TUE, "dividend", 0.1), (FRI, "dividend", 0.1)], stored_actions=paid_before)) == []
    assert held(checked(CALM[2:], [(FRI, "dividend", 0.1)], stored_actions=paid_before)) == []


@pytest.mark.parametrize("second", [(FRI, "dividend", 0.1), (WED, "dividend", 0.3), (WED, "capital_gain", 0.1)])
def test_two_that_are_no_twins(second: Action) -> None:
    assert held(checked(CALM, [(TUE, "dividend", 0.1), second])) == []


def test_an_amount_in_the_shares_before_the_split_of_its_day() -> None:
    """4063.T of 2023-03-30: 275 yen on an old share, five of which there are now."""
    result = checked(
        [(MON, 4150.0), (TUE, 4206.0), (WED, 4161.0), (THU, 4180.0)],
        [(WED, "split", 5.0), (WED, "dividend", 275.0)],
        stored_actions=[
            ("2025-09-29", "dividend", 250.0, "2026-03-13"),
            ("2025-03-28", "dividend", 225.0, "2026-03-13"),
        ],
    )
    assert held(result) == [(WED, "dividend", OLD_SHARES)]
    assert proposals(result) == [(WED, 55.0)]


QUARTERLY = [("2025-03-10", 0.5), ("2025-06-10", 0.52), ("2025-09-10", 0.5), ("2025-12-10", 0.55)]
UNUSUAL = "a hundredth or a hundredfold of the dividends beside it"


@pytest.mark.parametrize(("amount", "proposal"), [(0.0055, 0.55), (6.2, 0.062)])
def test_an_amount_in_another_unit_than_those_beside_it(amount: float, proposal: float) -> None:
    scale = 1.0 if amount < 1 else 0.1
    others = [(day, "dividend", value * scale, MON) for day, value in QUARTERLY]
    prices = [(day, close * 20) for day, close in CALM]
    result = checked(prices, [(WED, "dividend", amount)], stored_actions=others)
    assert held(result) == [(WED, "dividend", UNUSUAL)]
    assert proposals(result) == [(WED, proposal)]


def test_the_one_in_another_unit_among_those_of_a_first_load() -> None:
    paid: list[Action] = [(day, "dividend", value) for day, value in QUARTERLY]
    prices = [(day, 200.0) for day, _ in QUARTERLY] + [(day, close * 20) for day, close in CALM]
    result = checked(prices, [*paid, (WED, "dividend", 0.005)])
    assert held(result) == [(WED, "dividend", UNUSUAL)]
    assert len(result.actions) == 4


@pytest.mark.parametrize(
    ("amount", "others"),
    [
        (0.0125, QUARTERLY),  # a fortieth: IBE's premium for attending the meeting
        (0.005, QUARTERLY[:2]),
        (0.005, [(f"{int(day[:4]) - 3}{day[4:]}", value) for day, value in QUARTERLY]),
        (0.005, [("2025-03-10", 0.5), ("2025-06-10", 0.1), ("2025-09-10", 0.02), ("2025-12-10", 1.5)]),
    ],
    ids=["a fortieth", "two others", "years ago", "no usual amount"],
)
def test_an_amount_that_may_be_unusual(amount: float, others: list[tuple[str, float]]) -> None:
    stored = [(day, "dividend", value, MON) for day, value in others]
    result = checked([(day, close * 20) for day, close in CALM], [(WED, "dividend", amount)], stored_actions=stored)
    assert held(result) == []


def test_later_splits_make_true_amounts_small() -> None:
    """NVDA's 0.004 of 2021 are 16 cents on a share of then."""
    split = (FRI, "split", 40.0)
    assert (
        held(
            checked(
                [(MON, 10.0), (TUE, 10.1), (WED, 10.0), (THU, 10.2), (FRI, 10.1)], [split, (TUE, "dividend", 0.0005)]
            )
        )
        == []
    )


def test_what_is_stored_is_not_held_any_more() -> None:
    """An operator has released it."""
    stored = [(MON, 10.0, FRI), (TUE, 10.1, FRI), (WED, 10.0, FRI)]
    paid = (WED, "dividend", 2.0)
    assert held(checked(CALM, [paid], stored=stored, stored_actions=[(*paid, FRI)])) == []
