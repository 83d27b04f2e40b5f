"""Words of messages."""

import pytest

from include.insight_invest.wording import count


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (0, "row", "0 rows"),
        (1, "row", "1 row"),
        (2, "row", "2 rows"),
        (1500, "session", "1,500 sessions"),
        (1, "series", "1 series"),
        (2, "macro series", "2 macro series"),
    ],
)
def test_count(number: int, noun: str, said: str) -> None:
    assert count(number, noun) == said
