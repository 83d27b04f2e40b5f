"""Faults on demand: which request fails, in which way, how often."""

import threading
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from tests.replay.messages import HTML, XML, Answer, Delivery, Request


class Source(StrEnum):
    """Whom a request is for; also the keys of ``Replay.counts``."""

    YAHOO = "yahoo"
    NAVER = "naver"
    KRX = "krx"
    FRED = "fred"
    LISTING = "listing"
    OTHER = "other"


class Fault(StrEnum):
    """What can go wrong. The last three change the end of a Yahoo history and leave every other answer alone."""

    TOO_MANY = "429"
    FORBIDDEN = "403"
    SERVER_ERROR = "500"
    TIMEOUT = "timeout"  # no answer, until the client gives up
    DROP = "drop"  # the connection closes in the middle of the body
    TRUNCATED = "truncated"  # a complete HTTP answer with half the body
    HTML = "html"  # 200 and a page
    EMPTY = "empty"  # 200 and nothing; from Yahoo a valid body without bars
    NULL_BARS = "null_bars"  # the last bar has a volume and no prices
    REPEATED_BAR = "repeated_bar"  # the last day comes twice, the second time at the instant of its last trade
    LIVE_BAR = "live_bar"  # a row for the day under way, at the instant of its last trade


BAR_FAULTS = frozenset({Fault.NULL_BARS, Fault.REPEATED_BAR, Fault.LIVE_BAR})
_STATUS = {Fault.TOO_MANY: 429, Fault.FORBIDDEN: 403, Fault.SERVER_ERROR: 500}
_PAGE = "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"


@dataclass
class _Planned:
    kind: Fault
    source: Source | None
    match: str
    left: int | None


class FaultPlan:
    """The faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[_Planned] = []

    def add(self, kind: Fault, source: Source | None, match: str, times: int | None) -> None:
        """Let ``times`` (None: all) requests to ``source`` (None: any) whose URL contains ``match`` meet ``kind``."""
        with self._lock:
            self._planned.append(_Planned(kind, source, match, times))

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._planned.clear()

    def take(self, source: Source, request: Request) -> Fault | None:
        """The fault this request meets, counted as happened."""
        with self._lock:
            for plan in self._planned:
                if plan.left == 0 or not _concerns(plan, source, request):
                    continue
                if plan.left is not None:
                    plan.left -= 1
                return plan.kind
        return None


def _concerns(plan: _Planned, source: Source, request: Request) -> bool:
    if plan.source not in (None, source) or plan.match not in request.host + request.target:
        return False
    if plan.kind in BAR_FAULTS:
        return source is Source.YAHOO and "period1" in request.query
    # Yahoo's cookie and crumb are asked for once a process and their loss is survived: they fail only when named.
    return source is not Source.YAHOO or bool(plan.match) or "/chart/" in request.path


def spoil(answer: Answer, kind: Fault, source: Source) -> Answer:
    """The answer that a client gets instead of ``answer``. Bar faults are made where the bars are: see ``yahoo``."""
    if kind in _STATUS:
        return _refusal(_STATUS[kind], source)
    match kind:
        case Fault.TIMEOUT:
            return Answer(delivery=Delivery.HOLD)
        case Fault.DROP:
            return answer.but(delivery=Delivery.DROP)
        case Fault.TRUNCATED:
            return answer.but(body=answer.body[: len(answer.body) // 2])
        case Fault.HTML:
            return Answer.text(_PAGE.format(title="Service notice"), HTML)
        case Fault.EMPTY if source is not Source.YAHOO:
            return answer.but(body=b"", status=200)
        case _:
            return answer


def _refusal(status: int, source: Source) -> Answer:
    phrase = HTTPStatus(status).phrase
    if status == HTTPStatus.TOO_MANY_REQUESTS and source is Source.YAHOO:
        return Answer.text("Too Many Requests\r\n", status=status)
    if status != HTTPStatus.FORBIDDEN and source is Source.FRED:
        return Answer.text(
            f'<?xml version="1.0" encoding="utf-8" ?>\n<error code="{status}" message="{phrase}" />\n', XML, status
        )
    return Answer.text(_PAGE.format(title=f"{status} {phrase}"), HTML, status)
