"""As of any date, the store says what FRED said: GDP's 393 vintages, and two dated snapshots of other series."""

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import broken_invariants
from include.insight_invest.store.load import Counts
from tests.store.rows import macro, stored_vintages
from tests.store.vintages import (
    FOREVER,
    Release,
    answer,
    as_of,
    days_around,
    known_on,
    load_answer,
    recorded,
    replaced,
    snapshot,
)

JANUARY, JULY = "2026-01-02", "2026-07-30"
BOTH = ("CPIAUCSL", "DGS10", "FEDFUNDS", "GDPC1", "T10Y2Y", "UNRATE")
JANUARY_ONLY = ("BAMLC0A0CM", "GDP", "ICSA", "M2SL", "PAYEMS", "SP500", "VIXCLS")


@pytest.fixture
def gdp(connection: Connection, shared_data: Path) -> list[Release]:
    """The series is followed; all that FRED said of it until 2024-10-30."""
    macro(connection, "GDP")
    releases = recorded(shared_data, "all_releases")
    assert len(releases) == 3199
    return releases


def vintage_dates(releases: Sequence[Release]) -> list[str]:
    days = sorted({since for _, since, _, _ in releases})
    assert len(days) == 393
    return days


def windows(days: Sequence[str], size: int) -> list[tuple[str, str]]:
    """From the first of each ``size`` vintage dates to the eve of the first of the next, as the source asks."""
    firsts = list(days[::size])
    eves = days_around(days)
    ends = [eves[eves.index(day) - 1] for day in firsts[1:]]
    return list(zip(firsts, [*ends, "2024-10-30"], strict=True))


def assert_stored(connection: Connection, releases: Sequence[Release]) -> None:
    """The table is the file, vintage for vintage."""
    assert stored_vintages(connection) == [(day, since, value, "fred") for day, since, _, value in sorted(releases)]
    assert broken_invariants(connection, "macro") == []


def test_every_day_around_every_vintage_of_gdp(connection: Connection, gdp: list[Release]) -> None:
    assert load_answer(connection, answer(gdp, "1776-07-04", FOREVER), until="2024-10-30").new == 3199
    days = days_around(vintage_dates(gdp))
    assert len(days) == 1177  # of 3 * 393: two vintages may be a day or two apart
    for day in days:
        assert as_of(connection, "GDP", day) == known_on(gdp, day), day
    assert as_of(connection, "GDP", "1991-12-03") == {}


def test_freds_own_answers_about_gdp(connection: Connection, gdp: list[Release], shared_data: Path) -> None:
    load_answer(connection, answer(gdp, "1776-07-04", FOREVER), until="2024-10-30")
    served = {base: value for base, _, _, value in recorded(shared_data, "observations")}
    assert as_of(connection, "GDP", "2024-10-30") == served
    until_2019 = [(base, since, value, "fred") for base, since, _, value in recorded(shared_data, "asof")]
    assert [row for row in stored_vintages(connection) if row[1] <= "2019-01-01"] == sorted(until_2019)
    for base, since, _, value in recorded(shared_data, "initial_release"):
        assert as_of(connection, "GDP", since)[base] == value
        assert base not in as_of(connection, "GDP", days_around([since])[0])


@pytest.mark.parametrize("size", [50, 100, 7])
def test_in_chunks(connection: Connection, gdp: list[Release], size: int) -> None:
    asked = windows(vintage_dates(gdp), size)
    counts = [load_answer(connection, answer(gdp, start, end), until=end) for start, end in asked]
    assert (sum(one.new for one in counts), sum(one.changed for one in counts)) == (3199, 0)
    assert_stored(connection, gdp)
    assert replaced(connection) == []


def test_day_by_day(connection: Connection, gdp: list[Release]) -> None:
    """Each vintage's day asks from the one before it, as a daily run does."""
    days = vintage_dates(gdp)
    for start, end in [(days[0], days[0]), *pairwise(days)]:
        load_answer(connection, answer(gdp, start, end), until=end)
        assert as_of(connection, "GDP", end) == known_on(gdp, end)
    assert_stored(connection, gdp)
    assert replaced(connection) == []


@pytest.mark.parametrize("seed", range(5))
def test_in_any_order_with_some_of_it_twice(connection: Connection, gdp: list[Release], seed: int) -> None:
    """What a later window put down under its first day finds its own day when the earlier window comes."""
    draw = random.Random(seed)
    asked = windows(vintage_dates(gdp), 50)
    asked += draw.choices(asked, k=3)
    draw.shuffle(asked)
    newest = asked[0][1]
    for start, end in asked:
        load_answer(connection, answer(gdp, start, end), until=end, known_until=newest)
        newest = max(newest, end)
    assert_stored(connection, gdp)


@pytest.mark.parametrize("series", BOTH)
def test_january_then_july(connection: Connection, shared_data: Path, series: str) -> None:
    """July's files begin later and leave the holes out: what they do not have stays as it was."""
    macro(connection, series)
    january, july = snapshot(shared_data, JANUARY, series), snapshot(shared_data, JULY, series)
    for day, file in ((JANUARY, january), (JULY, july)):
        load_answer(
            connection, answer([(base, day, FOREVER, value) for base, value in file.items()], day, day), until=day
        )
    assert as_of(connection, series, JANUARY) == as_of(connection, series, "2026-07-29") == january
    assert as_of(connection, series, JULY) == january | july
    assert as_of(connection, series, "2026-01-01") == {}
    revised = sum(january.get(base, value) != value for base, value in july.items())
    assert len(stored_vintages(connection)) == len(january | july) + revised
    assert revised == {"CPIAUCSL": 58, "GDPC1": 1, "UNRATE": 8}.get(series, 0)


@pytest.mark.parametrize("series", ["CPIAUCSL", "UNRATE"])
def test_october_2025_is_known_to_be_missing(connection: Connection, shared_data: Path, series: str) -> None:
    """It was never collected: the agencies were shut."""
    macro(connection, series)
    for day in (JANUARY, JULY):
        served = snapshot(shared_data, day, series) | {"2025-10-01": None}
        load_answer(
            connection, answer([(base, day, FOREVER, value) for base, value in served.items()], day, day), until=day
        )
    assert as_of(connection, series, JANUARY)["2025-10-01"] is None
    assert as_of(connection, series, JULY)["2025-10-01"] is None
    assert [row for row in stored_vintages(connection) if row[0] == "2025-10-01"] == [
        ("2025-10-01", JANUARY, None, "fred")
    ]


@pytest.mark.parametrize("series", JANUARY_ONLY)
def test_a_snapshot_is_what_was_known_then(connection: Connection, shared_data: Path, series: str) -> None:
    macro(connection, series)
    january = snapshot(shared_data, JANUARY, series)
    rows = answer([(base, JANUARY, FOREVER, value) for base, value in january.items()], JANUARY, JANUARY)
    assert load_answer(connection, rows, until=JANUARY).new == len(january)
    assert as_of(connection, series, JANUARY) == january
    assert load_answer(connection, rows, until="2026-01-09") == Counts(unchanged=len(january))


def test_a_series_that_was_cut_to_three_years_loses_nothing(connection: Connection, shared_data: Path) -> None:
    """ICE BofA's, in April 2026: FRED serves three years, its archive too; January's file has the thirty before."""
    macro(connection, "BAMLC0A0CM")
    january = snapshot(shared_data, JANUARY, "BAMLC0A0CM")
    whole = [(base, JANUARY, FOREVER, value) for base, value in january.items()]
    load_answer(connection, answer(whole, JANUARY, JANUARY), until=JANUARY)
    cut = [(base, "2026-04-15", FOREVER, value) for base, _, _, value in whole if base >= "2023-04-15"]
    assert (len(whole), len(cut)) == (7664, 717)
    assert load_answer(connection, answer(cut, "2026-04-15", "2026-04-15"), until="2026-04-15") == Counts(unchanged=717)
    assert as_of(connection, "BAMLC0A0CM", "2026-04-15") == as_of(connection, "BAMLC0A0CM", JANUARY) == january
