"""Words of messages."""


def count(number: int, noun: str) -> str:
    """``number`` things in words: "1 row", "2 rows", "1,500 series"."""
    return f"{number:,} {noun}" if number == 1 or noun.endswith("series") else f"{number:,} {noun}s"


def plain(text: str, most: int = 200) -> str:
    """``text`` of somebody else's as one line of printable characters, at most ``most`` of them."""
    line = text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)
    return " ".join(line.split())[:most]
