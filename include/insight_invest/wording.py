"""Words of messages."""


def count(number: int, noun: str) -> str:
    """``number`` things in words: "1 row", "2 rows", "1,500 series"."""
    return f"{number:,} {noun}" if number == 1 or noun.endswith("series") else f"{number:,} {noun}s"
