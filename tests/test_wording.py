"""Words of messages."""

import pytest

from include.insight_invest.wording import count, plain


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("as it was", "as it was"),
        ("two\r\nlines\tand\x00more\x1b[31m", "two lines and more [31m"),
        ("half \ud800 a pair, \u202e turned", "half a pair, turned"),
        ("삼성전자", "삼성전자"),
        ("x" * 1000, "x" * 200),
        ("\x00", ""),
    ],
)
def test_plain(text: str, said: str) -> None:
    assert plain(text) == said
