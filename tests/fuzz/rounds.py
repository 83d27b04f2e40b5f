"""One round: a database without a row, runs of a job with damaged answers, and what the oracle says after each."""

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from include.insight_invest.errors import InsightError
from include.insight_invest.jobs import JOBS
from include.insight_invest.runner import session_of
from include.insight_invest.store import ledger
from include.insight_invest.store.database import connect
from include.insight_invest.universe.sync import sync_listing
from tests.fixtures.market import Market
from tests.fuzz.oracle import Tracebacks, is_sentence, stored, told
from tests.fuzz.payloads import Payloads

TIMEOUT = 5.0
# The replay answers at once, and what it drops is not waited for: a run that takes this long hangs somewhere.
LONGEST_RUN = 12 * TIMEOUT
CHICAGO = ZoneInfo("America/Chicago")


@dataclass
class Round:
    """What came of one round: ``wrong`` is empty when all is well."""

    seed: str
    payloads: int = 0
    names: set[str] = field(default_factory=set)  # of the damaged answers
    runs: Counter[str] = field(default_factory=Counter)  # by status
    states: Counter[str] = field(default_factory=Counter)  # of tickers or series
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)


@contextmanager
def tracebacks() -> Iterator[list[str]]:
    """The exceptions that are logged meanwhile."""
    handler, root = Tracebacks(), logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler.found
    finally:
        root.removeHandler(handler)


def observed_run(
    market: Market, what: Round, payloads: Payloads, *, job: str, as_of: str, asked: Collection[str], **options: Any
) -> dict[str, Any]:
    """Run ``job`` while ``payloads`` are served, and judge it; returns the ledger row."""
    market.replay.mutate(payloads)
    before = time.monotonic()
    row: dict[str, Any] = {}
    with tracebacks() as logged:
        try:
            market.run(job, as_of=as_of, **options)
        except InsightError as error:
            what.runs[type(error).__name__] += 1
        except Exception as error:  # noqa: BLE001 (this is what the round is for)
            what.wrong.append(f"{job} let {type(error).__name__} escape: {str(error)[:200]}")
        else:
            row = market.ledger()[-1]
    market.replay.mutate(None)
    _account(what, payloads, logged, time.monotonic() - before)
    if row:
        what.runs[row["status"]] += 1
        what.states.update({state: len(tickers) for state, tickers in row["tickers"].items()})
        what.wrong += told(row, asked)
    _judge(market, what, job=job, as_of=as_of, invariants=bool(row))
    return row


def observed_synchronisation(market: Market, what: Round, payloads: Payloads, *, iso_code: str, as_of: str) -> None:
    """Synchronise the universe while ``payloads`` are served, and judge it."""
    market.replay.mutate(payloads)
    market.replay.move_clock(datetime.fromisoformat(as_of))
    before = time.monotonic()
    with tracebacks() as logged, connect(market.url, application="fuzz") as connection:
        try:
            sync_listing(connection, market.settings(attempts=1), iso_code, datetime.fromisoformat(as_of))
            what.runs["synchronised"] += 1
        except InsightError as error:
            what.runs[type(error).__name__] += 1
            if not is_sentence(str(error)):
                what.wrong.append(f"the synchronisation's error is no sentence: {str(error)[:200]!r}")
        except Exception as error:  # noqa: BLE001 (this is what the round is for)
            what.wrong.append(f"the synchronisation let {type(error).__name__} escape: {str(error)[:200]}")
    market.replay.mutate(None)
    _account(what, payloads, logged, time.monotonic() - before)
    _judge(market, what, job="us-price" if iso_code == "US" else "kr-price", as_of=as_of, invariants=False)


def _account(what: Round, payloads: Payloads, logged: list[str], taken: float) -> None:
    what.payloads += len(payloads.served)
    what.names |= set(payloads.served)
    what.slowest = max(what.slowest, taken)
    what.wrong += logged
    if taken > LONGEST_RUN:
        what.wrong.append(f"a run took {taken:.0f} s")


def _judge(market: Market, what: Round, *, job: str, as_of: str, invariants: bool) -> None:
    """Hold the tables against the oracle and the ``invariants``."""
    moment = datetime.fromisoformat(as_of)
    today = moment.astimezone(CHICAGO).date()
    with connect(market.url, application="fuzz") as connection:
        what.wrong += stored(connection, session=session_of(JOBS[job], moment), today=today)
        what.wrong += ledger.broken_invariants(connection, job) if invariants else []


def bars_of(market: Market, tickers: Collection[str]) -> dict[str, list[tuple[Any, ...]]]:
    """The stored bars of each of ``tickers``, day and values. Source and basis depend on what else was damaged."""
    found: dict[str, list[tuple[Any, ...]]] = {ticker: [] for ticker in tickers}
    for ticker, *bar in market.bars():
        if ticker in found:
            found[ticker].append(tuple(bar[:6]))
    return found


def not_theirs(
    spared: dict[str, list[tuple[Any, ...]]], expected: dict[str, list[tuple[Any, ...]]], row: dict[str, Any]
) -> list[str]:
    """Whose rows are not exactly the ``expected`` ones although nobody damaged their answers.

    Of a ticker that failed with others, in a batch that was refused, what is there must be right, but may be less.
    """
    states = ("updated", "unchanged") if row.get("status") in ("succeeded", "over_budget") else ()
    fine = {ticker for state in states for ticker in row["tickers"].get(state, {})}
    return [
        f"{ticker} was not damaged, and has {sorted(set(bars) ^ set(expected[ticker]))[:2]} for another"
        for ticker, bars in spared.items()
        if (bars != expected[ticker] if ticker in fine else set(bars) - set(expected[ticker]))
    ]


def follow(market: Market, tickers: Collection[str], iso_code: str, market_name: str | None = None) -> None:
    """Put ``tickers`` into tb_meta at once."""
    with psycopg.connect(market.url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into tb_meta (ticker, name, security_type, iso_code, market) values (%s, %s, 'STOCK', %s, %s)",
            [(ticker, ticker, iso_code, market_name) for ticker in tickers],
        )
