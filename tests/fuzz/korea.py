"""Korea: Naver's damaged histories of a whole universe, and damaged listings of KRX, one for each session."""

from collections.abc import Collection
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from include.insight_invest import sessions
from tests.fixtures.market import Market
from tests.folders import write_krx, write_naver
from tests.fuzz.payloads import Payloads, listing_damage, rows_of, text_damage
from tests.fuzz.rounds import Round, bars_of, follow, not_theirs, observed_run, observed_synchronisation
from tests.replay.faults import Source

THURSDAY = "2026-01-08T12:00+00:00"
NEWEST = "executeForResourceBundle.cmd"  # which session's listing is the newest
DAYS = tuple(str(day) for day in sessions.sessions("XKRX", date(2025, 11, 3), date(2026, 1, 8)))
HISTORIES = tuple(f"{number:05}0" for number in range(1, 201))
LISTED = HISTORIES[:12]
SPARED = HISTORIES[::5]

type Bars = dict[str, list[tuple[Any, ...]]]


def write_histories(folder: Path) -> None:
    """Naver's chart of every share."""
    for code in HISTORIES:
        write_naver(folder, code, walk(code))


def write_listings(folder: Path) -> None:
    """KRX's listing of every session with a dozen shares, and Naver's charts of the same."""
    bars = {code: walk(code) for code in LISTED}
    for day in DAYS:
        write_krx(folder, day, [(code, f"Share {code}", "KOSPI", *bars[code][day]) for code in LISTED])
    for code in LISTED:
        write_naver(folder, code, bars[code])


def walk(code: str) -> dict[str, tuple[int, int, int, int, int]]:
    """A bar of whole won for each of DAYS."""
    rng, bars = Random(code), {}
    close = rng.randint(1_000, 90_000)
    for day in DAYS:
        opened = close
        close = round(opened * rng.uniform(0.97, 1.03))
        high, low = round(max(opened, close) * 1.01), round(min(opened, close) * 0.99)
        bars[day] = (opened, high, low, close, rng.randint(1_000, 900_000))
    return bars


def expected_histories(market: Market, _scale: float) -> Bars:
    """What the spared shares have where nothing is damaged."""
    follow(market, SPARED, "KR", "KOSPI")
    report = market.run("kr-price", as_of=THURSDAY, full_refresh=True)
    assert report.exit_code == 0, report.error
    return bars_of(market, SPARED)


def play_histories(
    market: Market,
    seed: str,
    truth: Bars,
    *,
    recorded: dict[str, bytes],
    only: Collection[str] | None = None,
    scale: float = 1.0,
) -> Round:
    """A first load of ``scale`` of the shares from Naver."""
    what = Round(seed)
    codes = HISTORIES[: round(len(HISTORIES) * scale)]
    follow(market, codes, "KR", "KOSPI")
    settings = market.settings(attempts=1, failure_budget=Random(seed).choice((0.02, 1.0)))
    payloads = Payloads(seed, Source.NAVER, text_damage, SPARED, only, recorded)
    row = observed_run(
        market, what, payloads, job="kr-price", as_of=THURSDAY, asked=codes, settings=settings, full_refresh=True
    )
    what.wrong += not_theirs(bars_of(market, sorted({*SPARED} & {*codes})), truth, row)
    return what


def expected_listings(market: Market, scale: float) -> Bars:
    """What the spared shares have where nothing is damaged."""
    report = market.run("kr-price", as_of=THURSDAY, **_range(scale))
    assert report.exit_code == 0, report.error
    return bars_of(market, [code for code in LISTED if code in SPARED])


def play_listings(
    market: Market,
    seed: str,
    truth: Bars,
    *,
    recorded: dict[str, bytes],
    only: Collection[str] | None = None,
    scale: float = 1.0,
) -> Round:
    """The range with a damaged listing for each session, then synchronisations with the newest.

    In three of ten rounds single rows are damaged, the shares in the others must have exactly theirs, and the daily run
    follows with its listings damaged.
    """
    what = Round(seed)
    by_row = Random(seed).random() < 0.3
    damage = rows_of([code for code in LISTED if code not in SPARED]) if by_row else listing_damage
    settings = market.settings(attempts=1, failure_budget=1.0)
    payloads = Payloads(seed, Source.KRX, damage, (NEWEST,), only, {} if by_row else recorded)
    row = observed_run(
        market, what, payloads, job="kr-price", as_of=THURSDAY, asked=(), settings=settings, **_range(scale)
    )
    if by_row:
        what.wrong += not_theirs(bars_of(market, list(truth)), truth, row)
    for number in range(round(60 * scale)):
        spared = () if number % 4 == 0 else (NEWEST,)
        payloads = Payloads(f"{seed} {number}", Source.KRX, listing_damage, spared, only, recorded)
        observed_synchronisation(market, what, payloads, iso_code="KR", as_of=THURSDAY)
    if not by_row:
        return what
    payloads = Payloads(f"{seed} daily", Source.KRX, listing_damage, (), only)
    observed_run(market, what, payloads, job="kr-price", as_of=THURSDAY, asked=(), settings=settings)
    return what


def _range(scale: float) -> dict[str, Any]:
    """The last sessions, ``scale`` of them."""
    return {"start": DAYS[-round(len(DAYS) * scale)], "end": DAYS[-1]}
