"""One run of a job at a time."""

import threading
import time
from contextlib import ExitStack

import psycopg
import pytest

from include.insight_invest.errors import LeaseHeld
from include.insight_invest.store.database import connect
from include.insight_invest.store.lease import POLL_SECONDS, lease
from include.insight_invest.store.statements import sql

WHOLE = (1, 1)


def taken(database: str, job: str, shard: tuple[int, int]) -> bool:
    """Whether another process cannot have the lease now."""
    with connect(database) as other:
        try:
            with lease(other, job, shard):
                return False
        except LeaseHeld:
            return True


@pytest.mark.parametrize(
    ("held", "asked", "excluded"),
    [
        (WHOLE, WHOLE, True),
        (WHOLE, (1, 2), True),
        ((1, 2), WHOLE, True),
        ((1, 2), (1, 2), True),
        ((1, 2), (2, 2), False),
    ],
)
def test_who_excludes_whom(database: str, held: tuple[int, int], asked: tuple[int, int], excluded: bool) -> None:
    with connect(database) as holder:
        with lease(holder, "us-price", held):
            assert taken(database, "us-price", asked) is excluded
        assert not taken(database, "us-price", asked)


def test_another_job_has_another_lease(database: str) -> None:
    with connect(database) as holder, lease(holder, "us-price", WHOLE):
        assert not taken(database, "kr-price", WHOLE)


def test_a_refusal_says_what_to_do_and_leaves_nothing_locked(database: str) -> None:
    with connect(database) as holder, connect(database) as other:
        refused = lease(other, "us-price", (1, 2))
        with lease(holder, "us-price", (1, 2)), pytest.raises(LeaseHeld, match="another run of us-price is at work"):
            refused.__enter__()
        assert other.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone() == (0,)


class TestWaiting:
    """``wait`` seconds for another run to end."""

    def test_who_waits_gets_the_lease_when_it_is_free(self, database: str, caplog: pytest.LogCaptureFixture) -> None:
        with connect(database, application="insight-invest us-price") as holder, connect(database) as other:
            pid, held = holder.info.backend_pid, ExitStack()
            held.enter_context(lease(holder, "us-price", WHOLE))
            releasing = threading.Timer(3 * POLL_SECONDS, held.close)
            with caplog.at_level("INFO"):
                releasing.start()
                with lease(other, "us-price", (2, 3), wait=30):
                    assert taken(database, "us-price", WHOLE)
            releasing.join()
        (told,) = caplog.messages
        assert told.startswith("us-price waits up to 30 s: another run of us-price is at work")
        assert f"(pid {pid}, insight-invest us-price, since 20" in told

    def test_who_waits_in_vain_is_refused(self, database: str) -> None:
        with connect(database) as holder, connect(database) as other, lease(holder, "us-price", (1, 2)):
            began = time.monotonic()
            refused = lease(other, "us-price", (1, 2), wait=1)
            with pytest.raises(LeaseHeld, match=r"another run of us-price is at work \(pid \d+, "):
                refused.__enter__()
            assert time.monotonic() - began >= 1
            assert not taken(database, "us-price", (2, 2))  # who waits keeps nobody else from starting

    @pytest.mark.parametrize(("held", "named"), [(WHOLE, 1), ((1, 2), 1), ((2, 2), 0)])
    def test_a_shard_names_whom_it_waits_for_only(self, database: str, held: tuple[int, int], named: int) -> None:
        with (
            connect(database, application="holder") as holder,
            connect(database, application="itself") as other,
            lease(holder, "us-price", held),
        ):
            names = {"whole": "insight:us-price", "part": "insight:us-price:1/2", "shared": True}
            row = other.execute(sql("lease_holder"), names).fetchone()
        assert str(row[0] if row else None).count("holder") == named


def test_an_error_within_frees_the_lease(database: str) -> None:
    with connect(database) as holder:
        with pytest.raises(ZeroDivisionError), lease(holder, "us-price", WHOLE):
            raise ZeroDivisionError
        assert not taken(database, "us-price", WHOLE)


def test_a_holder_that_dies_frees_its_lease(database: str) -> None:
    holder = psycopg.connect(database, autocommit=True)
    stack = ExitStack()
    stack.enter_context(lease(holder, "us-price", WHOLE))
    assert taken(database, "us-price", WHOLE)
    with connect(database) as operator:
        operator.execute("select pg_terminate_backend(%s)", [holder.info.backend_pid])
    deadline = time.monotonic() + 10
    while taken(database, "us-price", WHOLE) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not taken(database, "us-price", WHOLE)
    stack.close()  # the server has freed it already: nothing is left to do, and nothing to say
    holder.close()
