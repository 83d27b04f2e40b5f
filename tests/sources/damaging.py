"""Answers with something wrong in them: what is sent instead of the replay's own."""

from collections.abc import Callable

from tests.replay import Replay
from tests.replay.messages import Answer


def send(replay: Replay, match: str, damage: Callable[[Answer], Answer]) -> None:
    """Send ``damage(answer)`` to each request whose host, path or query holds ``match``."""
    replay.mutate(lambda source, request, answer: damage(answer) if match in request.host + request.target else answer)


def replaced(old: str, new: str) -> Callable[[Answer], Answer]:
    """The body with ``new`` for ``old``, which must be in it."""

    def damage(answer: Answer) -> Answer:
        assert old.encode() in answer.body, answer.body
        return answer.but(body=answer.body.replace(old.encode(), new.encode()))

    return damage


def whole(body: bytes, encoding: str = "") -> Callable[[Answer], Answer]:
    """``body`` and nothing else, as if it were compressed by ``encoding``."""
    return lambda answer: answer.but(body=body, headers={"Content-Encoding": encoding} if encoding else {})
