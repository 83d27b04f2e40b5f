"""Yahoo: a market of shares whose charts are damaged, loaded and then updated the next day."""

from collections.abc import Collection
from datetime import date
from itertools import product
from pathlib import Path
from random import Random
from string import ascii_uppercase
from typing import Any

from include.insight_invest import sessions
from tests.fixtures.market import Market
from tests.folders import Bar, write_chart
from tests.fuzz.payloads import Payloads, chart_damage
from tests.fuzz.rounds import Round, bars_of, follow, not_theirs, observed_run
from tests.replay.faults import Source

THURSDAY, FRIDAY = "2026-01-08T12:00+00:00", "2026-01-09T12:00+00:00"
TICKERS = tuple("F" + "".join(letters) for letters in product(ascii_uppercase, repeat=2))[:200]
SPARED = TICKERS[::5]  # some in every batch: a source that answers nobody is down


def write(folder: Path) -> None:
    """Two months of every share, to Thursday's close; some have split, some have paid."""
    days = [str(day) for day in sessions.sessions("XNYS", date(2025, 11, 10), date(2026, 1, 8))]
    for number, ticker in enumerate(TICKERS):
        write_chart(
            folder,
            ticker,
            walk(days, Random(ticker)),
            splits={days[-6]: (2, 1)} if number % 3 == 0 else None,
            dividends={days[-9]: 0.25} if number % 2 == 0 else None,
        )


def walk(days: list[str], rng: Random) -> dict[str, Bar]:
    """A bar for each of ``days``, each a little off the one before."""
    close, bars = rng.uniform(5, 500), {}
    for day in days:
        opened = round(close, 2)
        close = round(opened * rng.uniform(0.97, 1.03), 2)
        high, low = round(max(opened, close) * 1.01, 2), round(min(opened, close) * 0.99, 2)
        bars[day] = (opened, high, low, close, rng.randint(1_000, 9_000_000))
    return bars


def expected(market: Market, _scale: float) -> list[dict[str, list[tuple[Any, ...]]]]:
    """What the spared shares have after each of the two runs where nothing is damaged."""
    follow(market, SPARED, "US")
    found = []
    for as_of in (THURSDAY, FRIDAY):
        report = market.run(as_of=as_of)
        assert report.exit_code == 0, report.error
        found.append(bars_of(market, SPARED))
    return found


def play(
    market: Market,
    seed: str,
    truth: list[dict[str, list[tuple[Any, ...]]]],
    *,
    recorded: dict[str, bytes],
    only: Collection[str] | None = None,
    scale: float = 1.0,
) -> Round:
    """The two runs of a round, with ``scale`` of the shares."""
    what = Round(seed)
    tickers = TICKERS[: round(len(TICKERS) * scale)]
    follow(market, tickers, "US")
    settings = market.settings(attempts=1, failure_budget=Random(seed).choice((0.02, 1.0)))
    # where half of a batch lacks the last session, all of it is refused: the second day would prove little
    for as_of, share, rows in zip((THURSDAY, FRIDAY), (1.0, 0.5), truth, strict=True):
        payloads = Payloads(f"{seed} {as_of[:10]}", Source.YAHOO, chart_damage, SPARED, only, recorded, share)
        row = observed_run(market, what, payloads, job="us-price", as_of=as_of, asked=tickers, settings=settings)
        what.wrong += not_theirs(bars_of(market, sorted({*SPARED} & {*tickers})), rows, row)
    return what
