"""Jumps that are none, moves that are real, and what decides which: the neighbours, stored or new."""

from itertools import pairwise

import pandas as pd
import pytest

from tests.checks.answers import Close, checked, good, held, proposals

LEVEL = "off the level of its neighbours by a split or a unit"
BACK = "a jump that comes back"
UNCONFIRMED = "a wild move that no later session confirms yet"
REPEATS = "repeats the session before"
DAYS = [str(day.date()) for day in pd.bdate_range("2026-03-02", periods=20)]


def closes(*values: float) -> list[Close]:
    return list(zip(DAYS, values, strict=False))


def test_a_row_a_hundred_times_too_low_is_held_with_what_it_should_be() -> None:
    result = checked(closes(60.0, 61.0, 0.62, 62.5, 63.0))
    assert held(result) == [(DAYS[2], "bar", BACK)]
    assert proposals(result) == [(DAYS[2], 62.0)]


def test_the_volume_of_a_row_in_the_wrong_unit_is_right() -> None:
    (row,) = checked(closes(60.0, 61.0, 0.62, 62.5, 63.0), volume=700.0).held
    assert (row["payload"]["volume"], row["proposal"]["volume"]) == (700.0, 700.0)


def test_the_volume_of_a_row_in_other_shares_is_restated_with_its_price() -> None:
    split = (DAYS[4], "split", 0.1)
    (row,) = checked(closes(60.0, 61.0, 6.2, 62.5, 63.0), [split], volume=700.0).held
    assert (row["proposal"]["close"], row["proposal"]["volume"]) == (62.0, 70.0)


def test_a_spike_of_ten_rows_is_held_one_of_eleven_is_a_price() -> None:
    assert len(held(checked(closes(*[10.0] * 4, *[50.0] * 10, *[10.0] * 3)))) == 10
    assert held(checked(closes(*[10.0] * 4, *[50.0] * 11, *[10.0] * 3))) == []


def test_without_anything_stored_the_newest_sessions_are_right() -> None:
    """SSW.JO: rands, and before them cents."""
    result = checked(closes(3501.0, 3540.0, 35.2, 35.0, 34.7))
    assert held(result) == [(day, "bar", LEVEL) for day in DAYS[:2]]
    assert proposals(result) == [(DAYS[0], 35.01), (DAYS[1], 35.4)]


def test_one_or_two_newest_sessions_are_no_proof_against_many() -> None:
    result = checked(closes(3501.0, 3540.0, 3560.0, 35.2))
    assert held(result) == [(DAYS[3], "bar", LEVEL)]


@pytest.mark.parametrize("newest", [3, 10])
def test_nor_are_a_few_in_another_unit_than_all_the_others(newest: int) -> None:
    days = [str(day.date()) for day in pd.bdate_range("2025-01-01", periods=60)]
    quoted = [60.0 + place / 10 for place in range(60)]
    cents = [close * 100 if place >= 60 - newest else close for place, close in enumerate(quoted)]
    result = checked(list(zip(days, cents, strict=True)))
    assert held(result) == [(day, "bar", LEVEL) for day in days[60 - newest :]]
    assert proposals(result)[-1] == (days[-1], 65.9)


def test_the_newest_are_right_where_they_are_more_than_a_spike_has() -> None:
    days = [str(day.date()) for day in pd.bdate_range("2025-01-01", periods=60)]
    result = checked([(day, 6000.0 if place >= 49 else 60.0) for place, day in enumerate(days)])
    assert held(result) == [(day, "bar", LEVEL) for day in days[:49]]


def test_the_newest_are_right_where_many_before_them_were_of_their_unit() -> None:
    days = [str(day.date()) for day in pd.bdate_range("2025-01-01", periods=60)]
    result = checked([(day, 6000.0 if 20 <= place < 55 else 60.0) for place, day in enumerate(days)])
    assert held(result) == [(day, "bar", LEVEL) for day in days[20:55]]


def test_what_is_stored_is_right() -> None:
    """The same rows with the first one stored: now it is the newer ones that are off."""
    result = checked(closes(3501.0, 3540.0, 35.2, 35.0, 34.7), stored=[(DAYS[0], 3501.0, DAYS[0])])
    assert held(result) == [(day, "bar", LEVEL) for day in DAYS[2:5]]
    assert proposals(result)[0] == (DAYS[2], 3520.0)


def test_the_last_stored_session_before_the_answer_counts_too() -> None:
    result = checked(closes(60.0)[:1], stored=[("2026-02-27", 0.6, "2026-02-27")])
    assert held(result) == [(DAYS[0], "bar", LEVEL)]


def test_a_history_that_a_split_has_not_restated_is_held_before_it() -> None:
    """DEX.AX: from eight days before the ex-date on the prices are in the new shares."""
    result = checked(closes(0.053, 0.053, 0.12029, 0.12029, 0.12029), [(DAYS[4], "split", 0.4406)])
    assert held(result) == [(day, "bar", LEVEL) for day in DAYS[:2]]
    assert proposals(result) == [
        (DAYS[0], pytest.approx(0.12029, rel=1e-5)),
        (DAYS[1], pytest.approx(0.12029, rel=1e-5)),
    ]


def test_on_the_ex_date_one_session_is_proof_enough() -> None:
    """A first load in the evening of a split: the day is in new shares, all before is not restated yet."""
    result = checked(closes(100.0, 101.0, 102.0, 25.6), [(DAYS[3], "split", 4.0)])
    assert (good(result), len(result.actions)) == ([DAYS[3]], 1)


def test_a_restated_history_loads_whole() -> None:
    assert held(checked(closes(25.0, 25.2, 25.5, 25.6), [(DAYS[3], "split", 4.0)])) == []


def test_a_row_that_its_own_split_has_divided_once_too_often() -> None:
    """AV.L, 76 new shares for 100."""
    result = checked(closes(530.0, 537.0, 412.1, 440.9, 442.0), [(DAYS[2], "split", 0.76)])
    assert held(result) == [(DAYS[2], "bar", "moved by the ratio of its own split: divided once too often")]
    assert proposals(result) == [(DAYS[2], pytest.approx(542.2, abs=0.1))]


def test_the_same_fall_without_the_split_is_a_price() -> None:
    assert held(checked(closes(530.0, 537.0, 412.1, 440.9, 442.0))) == []


@pytest.mark.parametrize("move", [0.26, 0.5, 2.0, 3.9])
def test_a_move_of_up_to_four_times_is_a_price(move: float) -> None:
    assert held(checked(closes(10.0, 10.0 * move))) == []


@pytest.mark.parametrize("move", [0.2, 4.5, 15.44])
def test_a_wilder_one_waits_for_the_next_session(move: float) -> None:
    """SCR.TO's ticker was given to another share: 1.94, then 29.96 and there it stayed."""
    assert held(checked(closes(10.0, 10.1, 10.0 * move))) == [(DAYS[2], "bar", UNCONFIRMED)]
    assert held(checked(closes(10.0, 10.1, 10.0 * move, 10.2 * move))) == []


def test_the_last_session_of_a_share_that_trades_no_more() -> None:
    """A crash, and then nothing: after five days of the same word it is stored."""
    fall = closes(10.0, 10.1, 1.2)
    assert held(checked(fall, basis="2026-03-08")) == [(DAYS[2], "bar", UNCONFIRMED)]
    assert held(checked(fall, basis="2026-03-09")) == []


def test_a_wild_move_that_stays_is_stored_and_told() -> None:
    result = checked(closes(10.0, 10.1, 50.5, 51.0, 10.0, 10.2))
    note = "IT moved x{} on {}, and stayed: it is stored, no split explains it"
    assert result.notes == []  # it comes back
    result = checked(closes(10.0, 10.1, 50.5, 51.0, 51.2))
    assert (held(result), result.notes) == ([], [note.format(5, DAYS[2])])


def test_once_stored_it_is_not_told_again() -> None:
    stored = [(DAYS[0], 10.0, DAYS[0]), (DAYS[1], 50.0, DAYS[1])]
    assert checked(closes(10.0, 50.0, 51.0), stored=stored).notes == []


def test_of_many_the_wildest_are_told() -> None:
    notes = checked(closes(10.0, 50.0, 300.0, 2100.0, 16800.0, 16900.0)).notes
    assert [note.split(",")[0] for note in notes] == [
        f"IT moved x8 on {DAYS[4]}",
        f"IT moved x7 on {DAYS[3]}",
        f"IT moved x6 on {DAYS[2]}",
        "1 more moves of over x4 that no split explains are stored",
    ]


def test_a_wild_move_by_what_a_split_explains_is_none() -> None:
    """The stored close is in the shares of before the split, the new session in those of after it."""
    result = checked(
        closes(10.0, 10.1)[1:],
        [(DAYS[1], "split", 0.1)],
        stored=[(DAYS[0], 1.0, DAYS[0])],
    )
    assert held(result) == []


class TestRepeats:
    """A source that repeats its last session has no new one."""

    def test_a_traded_session_that_repeats_the_one_before(self) -> None:
        days = [(DAYS[0], 10.0), (DAYS[1], 10.0)]
        assert held(checked(days, volume=20_000.0)) == [(DAYS[1], "bar", REPEATS)]

    @pytest.mark.parametrize("volume", [0.0, 100.0])
    def test_a_share_that_hardly_trades_may_stand_still(self, volume: float) -> None:
        assert held(checked([(DAYS[0], 10.0), (DAYS[1], 10.0)], volume=volume)) == []


def test_the_days_are_weekdays_in_a_row() -> None:
    assert all(first < second for first, second in pairwise(DAYS))
