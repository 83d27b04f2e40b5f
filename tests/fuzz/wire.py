"""Damage that knows nothing of what is sent: bytes, encodings, headers."""

import gzip
from collections.abc import Callable
from random import Random

from tests.replay.messages import HTML, Answer, Delivery

_TYPES = (
    "text/html",
    "application/json",
    "application/octet-stream",
    "text/xml; charset=utf-16",
    "text/csv; charset=x",
)
_PAGE = "<!DOCTYPE html><html><head><title>Sorry</title></head><body><p>Sorry, something went wrong.</p></body></html>"


def damaged_wire(answer: Answer, rng: Random) -> Answer:
    """``answer`` with one operation on its bytes or headers."""
    return rng.choice(_OPERATIONS)(answer, rng)


def _truncated(answer: Answer, rng: Random) -> Answer:
    return answer.but(body=answer.body[: rng.randrange(len(answer.body) + 1)])


def _flipped(answer: Answer, rng: Random) -> Answer:
    body = bytearray(answer.body)
    for _ in range(rng.choice((1, 1, 3, 30)) if body else 0):
        body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
    return answer.but(body=bytes(body))


def _inserted(answer: Answer, rng: Random) -> Answer:
    place = rng.randrange(len(answer.body) + 1)
    some = rng.choice((b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"]}", b"<!--", rng.randbytes(20)))
    return answer.but(body=answer.body[:place] + some + answer.body[place:])


def _removed(answer: Answer, rng: Random) -> Answer:
    start = rng.randrange(len(answer.body) + 1)
    return answer.but(body=answer.body[:start] + answer.body[start + rng.randint(1, 200) :])


def _doubled(answer: Answer, _rng: Random) -> Answer:
    return answer.but(body=answer.body * 2)


def _encoded(answer: Answer, rng: Random) -> Answer:
    text = answer.body.decode("utf-8", errors="replace")
    return answer.but(body=text.encode(rng.choice(("utf-16", "utf-8-sig", "utf-32", "cp037")), errors="replace"))


def _typed(answer: Answer, rng: Random) -> Answer:
    return answer.but(content_type=rng.choice(_TYPES))


def _zipped(answer: Answer, rng: Random) -> Answer:
    body = gzip.compress(answer.body)
    broken = rng.choice((body, body[: len(body) // 2], answer.body, body[:4] + b"\x00\x00" + body[6:], b""))
    named = rng.choice(("gzip", "gzip", "deflate", "br"))
    return answer.but(body=broken, headers=answer.headers | {"Content-Encoding": named})


def _page(answer: Answer, _rng: Random) -> Answer:
    return Answer.text(_PAGE, HTML)


def _empty(answer: Answer, rng: Random) -> Answer:
    return answer.but(body=rng.choice((b"", b" ", b"\n", b"null", b"{}", b"[]", b"0", b'""', b"<a/>")))


def _huge(answer: Answer, rng: Random) -> Answer:
    return answer.but(body=answer.body + rng.choice((b" ", b"\n", b"x")) * 2_000_000)


def _nested(answer: Answer, rng: Random) -> Answer:
    return answer.but(body=rng.choice((b"[" * 20_000, b"<a>" * 20_000, b'{"chart":' * 5_000)))


def _dropped(answer: Answer, _rng: Random) -> Answer:
    return answer.but(delivery=Delivery.DROP)


def _status(answer: Answer, rng: Random) -> Answer:
    return answer.but(status=rng.choice((204, 400, 401, 404, 410, 418, 500, 502, 503)))


_OPERATIONS: tuple[Callable[[Answer, Random], Answer], ...] = (
    _truncated,
    _flipped,
    _flipped,
    _inserted,
    _removed,
    _doubled,
    _encoded,
    _typed,
    _zipped,
    _page,
    _empty,
    _huge,
    _nested,
    _dropped,
    _status,
)
