"""What a run asks of the database, one after another: statements, pieces of a COPY, commits; and what befalls one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

OURS = "insight-invest "


@dataclass
class Counter:
    """How many there were so far."""

    events: int = 0


@contextmanager
def befalling(
    number: int | None, what: Callable[[psycopg.Connection[Any]], None], *, of: str = ""
) -> Iterator[Counter]:
    """Do ``what`` with a run's connection just before its ``number``-th use; None counts only.

    Counted are all uses, or those ``of`` a kind: how psycopg calls the generator that does it.
    """
    counter = Counter()
    wait = psycopg.Connection.wait

    def counted(self: psycopg.Connection[Any], work: Any, *arguments: Any, **more: Any) -> Any:
        if not self.closed and _is_ours(self) and of in work.__qualname__:
            counter.events += 1
            if counter.events == number:
                what(self)
        return wait(self, work, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "wait", counted)
        yield counter


def end(connection: psycopg.Connection[Any]) -> None:
    """pg_terminate_backend, as an operator or a failover does; the session is gone when this returns."""
    with psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 10000)", [connection.info.backend_pid])


def _is_ours(connection: psycopg.Connection[Any]) -> bool:
    return (connection.info.parameter_status("application_name") or "").startswith(OURS)
