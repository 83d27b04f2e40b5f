"""The sessions of an answer that are stored already: corrections, splits, and histories restated without a word."""

import pytest

from tests.checks.answers import checked, good, held, proposals

MON, TUE, WED, THU, FRI = (f"2026-03-{day:02}" for day in range(16, 21))
STORED = [(MON, 100.0, MON), (TUE, 101.0, TUE), (WED, 102.0, WED), (THU, 103.0, THU)]
RESTATED = "the whole history is restated, and no split says why"
MISSING = "the source restated the history and names no split"
IN_OTHER_SHARES = "off its stored close by the ratio of a split: quoted in other shares"


def test_a_correction_of_one_session_is_good() -> None:
    result = checked([(MON, 100.0), (TUE, 101.0), (WED, 95.0), (THU, 103.0), (FRI, 104.0)], stored=STORED)
    assert (held(result), len(result.good)) == ([], 5)


def test_a_hair_on_every_session_is_good() -> None:
    result = checked([(day, close * 1.01) for day, close, _ in STORED], stored=STORED)
    assert held(result) == []


def test_a_restated_history_is_held_with_the_split_that_would_explain_it() -> None:
    result = checked([(MON, 50.0), (TUE, 50.5), (WED, 51.0), (THU, 51.5), (FRI, 52.0)], stored=STORED)
    assert held(result) == [
        (MON, "bar", RESTATED),
        (TUE, "bar", RESTATED),
        (WED, "bar", RESTATED),
        (THU, "bar", RESTATED),
        (FRI, "bar", "goes on from sessions that are held back"),
        (FRI, "split", MISSING),
    ]
    assert proposals(result) == [(FRI, 2.0)]


def test_its_dividends_are_held_too() -> None:
    paid = (WED, "dividend", 0.5)
    result = checked([(MON, 50.0), (TUE, 50.5), (WED, 51.0), (THU, 51.5)], [paid], stored=STORED)
    assert (WED, "dividend", "of a history that is restated, and no split says why") in held(result)
    assert (len(result.good), len(result.actions)) == (0, 0)


def test_a_new_session_that_stands_where_the_stored_ones_do_is_good() -> None:
    result = checked([(MON, 50.0), (TUE, 50.5), (WED, 51.0), (THU, 51.5), (FRI, 104.0)], stored=STORED)
    assert good(result) == [FRI]


def test_the_same_with_its_split_is_no_change() -> None:
    restated = [(MON, 50.0), (TUE, 50.5), (WED, 51.0), (THU, 51.5), (FRI, 52.0)]
    result = checked(restated, [(FRI, "split", 2.0)], stored=STORED)
    assert (held(result), len(result.good), len(result.actions)) == ([], 5, 1)
    later = checked(restated, stored=STORED, stored_actions=[(FRI, "split", 2.0, FRI)])
    assert held(later) == []


def test_a_split_that_the_source_has_not_applied_yet_lands_with_the_sessions_after_it() -> None:
    """Yahoo names the split in the morning and restates the history some days later."""
    late = [(MON, 100.0), (TUE, 101.0), (WED, 102.0), (THU, 103.0), (FRI, 52.0)]
    result = checked(late, [(FRI, "split", 2.0)], stored=STORED)
    assert held(result) == [(day, "bar", IN_OTHER_SHARES) for day in (MON, TUE, WED, THU)]
    assert (good(result), len(result.actions)) == ([FRI], 1)


def test_a_split_that_no_price_shows_is_held_and_everything_else_lands() -> None:
    same = [(MON, 100.0), (TUE, 101.0), (WED, 102.0), (THU, 103.0), (FRI, 104.0)]
    result = checked(same, [(FRI, "split", 2.0)], stored=STORED)
    assert held(result) == [(FRI, "split", "a split that the prices do not show")]
    assert len(result.good) == 5


@pytest.mark.parametrize("ratio", [1e-6, 1e6, float("nan"), float("inf")])
def test_a_ratio_that_no_split_has(ratio: float) -> None:
    result = checked([(MON, 100.0), (TUE, 101.0)], [(TUE, "split", ratio)])
    assert held(result) == [(TUE, "split", "a ratio that no split has, or no amount")]
    assert len(result.good) == 2


def test_one_session_in_pence() -> None:
    result = checked([(MON, 100.0), (TUE, 10_100.0), (WED, 102.0), (THU, 103.0)], stored=STORED)
    assert held(result) == [(TUE, "bar", "a hundred times off its stored close")]


class TestCurrency:
    """A ticker is stored in one money."""

    def test_another_one_is_held(self) -> None:
        result = checked([(FRI, 90.0)], [(FRI, "dividend", 1.0)], stored=STORED, currency="EUR")
        reason = "quoted in EUR, stored in USD"
        assert held(result) == [(FRI, "bar", reason), (FRI, "dividend", reason)]

    def test_a_hundredth_is_held_with_the_whole_as_proposal(self) -> None:
        (row,) = checked([(FRI, 9000.0)], currency="GBp").held
        assert row["reason"] == "quoted in GBp, a hundredth of its currency"
        assert (row["proposal"]["close"], row["proposal"]["volume"], row["proposal"]["currency"]) == (
            90.0,
            1000.0,
            "GBP",
        )

    def test_a_first_answer_decides_which(self) -> None:
        assert held(checked([(FRI, 90.0)], currency="EUR")) == []
