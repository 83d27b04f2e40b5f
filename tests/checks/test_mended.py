"""A stored session that the source says otherwise: mended, settled, or another share's."""

from tests.checks.answers import checked, good, held

DAYS = [f"2026-03-{day:02}" for day in (9, 10, 11, 12, 13, 16, 17)]
SETTLED = "a settled close would move by more than a fifth"


def quotes(*closes: float) -> list[tuple[str, float]]:
    return list(zip(DAYS, closes, strict=False))


def stored(*closes: float) -> list[tuple[str, float, str]]:
    return [(day, close, day) for day, close in quotes(*closes)]


def test_garbage_that_was_stored_is_mended_and_the_days_go_on() -> None:
    """Two evenings of ten times the price had confirmed each other."""
    result = checked(quotes(50, 51, 50, 51, 52, 51, 52), stored=stored(50, 51, 50, 51, 520, 512))
    assert (held(result), good(result)) == ([], DAYS)


def test_a_settled_close_stays_where_the_new_one_does_not_go_with_its_neighbours() -> None:
    result = checked(quotes(50, 51, 50, 160, 52, 51), stored=stored(50, 51, 50, 51, 52, 51))
    assert held(result) == [(DAYS[3], "bar", SETTLED)]
    assert good(result) == [*DAYS[:3], *DAYS[4:6]]


def test_the_newest_two_may_still_move_by_that_much() -> None:
    """An opening quote instead of the close, on the evening of a fall."""
    result = checked(quotes(50, 51, 50, 51, 36, 37), stored=stored(50, 51, 50, 51, 49))
    assert (held(result), good(result)) == ([], DAYS[:6])


def test_another_company_under_the_symbol_takes_nothing_over() -> None:
    result = checked(quotes(70, 75, 68, 80, 77, 90, 85), stored=stored(50, 51, 50, 51, 52, 51))
    reason = "not one session is as stored, by no common factor: another share?"
    assert held(result) == [
        *((day, "bar", reason) for day in DAYS[:6]),
        (DAYS[6], "bar", "goes on from sessions that are held back"),
    ]


def test_a_new_listings_first_close_is_corrected() -> None:
    assert good(checked(quotes(38, 39), stored=stored(30))) == DAYS[:2]
    assert good(checked(quotes(30, 31), stored=stored(3000))) == DAYS[:2]


def test_of_two_reads_of_a_first_close_a_hundred_apart_none_is_believed_yet() -> None:
    result = checked(quotes(3000), stored=stored(30))
    assert good(result) == []
