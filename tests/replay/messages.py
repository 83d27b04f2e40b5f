"""What passes between the transport and the sources: a request, and the answer to it."""

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Self

# What RFC 9110 calls them; http.HTTPStatus knows no other that a source here uses.
HTML = "text/html; charset=utf-8"
JSON = "application/json;charset=utf-8"
TEXT = "text/plain; charset=utf-8"
XML = "text/xml; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """One request, whatever way it came: through a TLS tunnel, or as an absolute URL to the proxy."""

    method: str
    host: str  # without port, lower case; "" where the proxy itself is addressed
    path: str  # decoded
    query: dict[str, str]  # the last value of each name
    target: str  # path and query as sent
    body: bytes = b""


class Delivery(Enum):
    """How an answer leaves."""

    WHOLE = "whole"
    DROP = "drop"  # half of the promised body, then the connection closes
    HOLD = "hold"  # nothing, until the client gives up


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    body: bytes = b""
    content_type: str = TEXT
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE

    @classmethod
    def text(cls, body: str, content_type: str = TEXT, status: int = 200) -> Self:
        """An answer of UTF-8 text."""
        return cls(body.encode(), content_type, status)

    def but(self, **changes: object) -> "Answer":
        """The same answer with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]
