"""FRED: many series whose vintage dates, observations and descriptions are damaged."""

from collections.abc import Collection
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from tests.fixtures.market import Market
from tests.folders import write_fred
from tests.fuzz.payloads import Payloads, text_damage
from tests.fuzz.rounds import Round, observed_run
from tests.replay.faults import Source

# A first load; the next day; and after a quarter without news, when FRED is asked for its description first.
MOMENTS = ("2026-01-08T12:00+00:00", "2026-01-09T12:00+00:00", "2026-05-12T12:00+00:00")
SERIES = tuple(f"S{number:03}" for number in range(100))
SPARED = SERIES[::5]
MONTHS = ("2025-08", "2025-09", "2025-10", "2025-11", "2025-12")

type Values = dict[str, list[tuple[Any, ...]]]


def write(folder: Path) -> None:
    """Five months of every series, each value revised a month later; one has none."""
    for series in SERIES:
        rng, releases = Random(series), []
        for number, month in enumerate(MONTHS):
            first = f"{rng.uniform(0, 300):.3f}" if number != 2 else "."
            known = (*MONTHS[number + 1 :], "2026-01", "2026-02")
            releases.append((f"{month}-01", f"{known[0]}-07", first))
            if first != "." and known[1] != "2026-02":
                releases.append((f"{month}-01", f"{known[1]}-07", f"{float(first) + 0.5:.3f}"))
        write_fred(folder, series, releases)


def values_of(market: Market) -> Values:
    """The stored vintages of the spared series."""
    found: Values = {series: [] for series in SPARED}
    for series, *row in market.rows(
        "select fred, base_date::text, realtime_start::text, value "
        "from tb_macro_vintage join tb_macro using (macro_id) order by 1, 2, 3"
    ):
        if series in found:
            found[series].append(tuple(row))
    return found


def expected(market: Market, _scale: float) -> list[Values]:
    """What the spared series have after each run where nothing is damaged."""
    follow(market, SPARED)
    found = []
    for as_of in MOMENTS:
        report = market.run("macro", as_of=as_of)
        assert report.exit_code == 0, report.error
        found.append(values_of(market))
    return found


def play(
    market: Market,
    seed: str,
    truth: list[Values],
    *,
    recorded: dict[str, bytes],
    only: Collection[str] | None = None,
    scale: float = 1.0,
) -> Round:
    """The three runs of a round, with ``scale`` of the series."""
    what = Round(seed)
    asked = SERIES[: round(len(SERIES) * scale)]
    follow(market, asked)
    settings = market.settings(attempts=1, failure_budget=Random(seed).choice((0.02, 1.0)))
    for as_of, rows in zip(MOMENTS, truth, strict=True):
        payloads = Payloads(f"{seed} {as_of[:10]}", Source.FRED, text_damage, SPARED, only, recorded, 0.8)
        row = observed_run(market, what, payloads, job="macro", as_of=as_of, asked=asked, settings=settings)
        stored = values_of(market)
        # a run that has ended early has not asked for all of them
        whole = row.get("status") in ("succeeded", "over_budget")
        what.wrong += [
            f"{series} was not damaged, and has {sorted(set(stored[series]) ^ set(rows[series]))[:2]} for another"
            for series in asked
            if series in SPARED
            and (stored[series] != rows[series] if whole else set(stored[series]) - set(rows[series]))
        ]
    return what


def follow(market: Market, series: Collection[str]) -> None:
    with psycopg.connect(market.url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executemany("insert into tb_macro (fred) values (%s)", [(one,) for one in series])
