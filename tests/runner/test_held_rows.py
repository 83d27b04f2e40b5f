"""What whole runs do with rows that cannot be: held, told, decided, and never in the way of the next run."""

from datetime import UTC, datetime

import pytest

from include.insight_invest.store.database import connect
from include.insight_invest.store.load import Counts
from include.insight_invest.store.quarantine import release
from tests.fixtures.market import BOLT, Market
from tests.folders import Bar, write_chart

THURSDAY, FRIDAY, SATURDAY = (f"2026-01-{day:02}T12:00+00:00" for day in (8, 9, 10))
NOW = datetime(2026, 1, 9, 15, tzinfo=UTC)
DAYS = ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09")


@pytest.fixture(autouse=True)
def only_bolt(market: Market) -> None:
    market.rows("delete from tb_meta where ticker = 'ACME'")


def flat(*closes: float, shares: int = 1) -> dict[str, Bar]:
    """Bars of one price a day; ``shares`` there are now for each one of before the last day."""
    return {
        day: (close, close, close, close, (100 + place) * (shares if day < DAYS[len(closes) - 1] else 1))
        for place, (day, close) in enumerate(zip(DAYS, closes, strict=False))
    }


def closes(market: Market) -> list[float]:
    return [row[0] for row in market.rows("select close from tb_bar order by trade_date")]


def quarantine(market: Market) -> list[tuple[object, ...]]:
    return market.rows("select trade_date::text, kind, status, decided_by from tb_quarantine order by quarantine_id")


def decide(market: Market, quarantine_id: int, *, proposed: bool) -> Counts:
    with connect(market.url) as connection:
        return release(connection, quarantine_id, by="kim", note="", now=NOW, proposed=proposed)


def test_a_row_in_pence_is_held_once_and_the_rest_loads(market: Market) -> None:
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 5200.0))
    market.run(as_of=THURSDAY)
    report = market.run(as_of=FRIDAY)
    assert report.rows.model_dump() == {"new": 0, "changed": 0, "unchanged": 3, "held_back": 1}
    before = market.dump("tb_job_run")
    assert market.run(as_of=FRIDAY).rows.held_back == 1
    assert market.dump("tb_job_run") == before
    assert closes(market) == [50.0, 51.0, 52.0]
    market.audit()


@pytest.mark.parametrize(("proposed", "close"), [(True, 52.0), (False, 5200.0)])
def test_what_an_operator_releases_stays_when_the_same_row_comes_again(
    market: Market, proposed: bool, close: float
) -> None:
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 5200.0))
    market.run(as_of=THURSDAY)
    market.run(as_of=FRIDAY)
    assert decide(market, 1, proposed=proposed).new == 1
    before = market.dump("tb_job_run", "tb_bar")
    report = market.run(as_of=FRIDAY)
    assert (report.rows.changed, report.rows.held_back) == (0, 0)
    assert closes(market) == [50.0, 51.0, 52.0, close]
    assert market.dump("tb_job_run", "tb_bar") == before
    market.audit()


def test_a_wild_move_is_stored_when_the_next_session_confirms_it(market: Market) -> None:
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 520.0, 530.0))
    market.run(as_of=THURSDAY)
    assert market.run(as_of=FRIDAY).rows.held_back == 1
    report = market.run(as_of=SATURDAY)
    assert (report.rows.new, report.rows.held_back) == (2, 0)
    assert closes(market) == [50.0, 51.0, 52.0, 520.0, 530.0]
    assert quarantine(market) == [("2026-01-08", "bar", "released", "source")]
    market.audit()


def test_a_row_that_the_source_corrects_closes_the_question(market: Market) -> None:
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 5200.0))
    market.run(as_of=THURSDAY)
    market.run(as_of=FRIDAY)
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 52.5))
    market.run(as_of=FRIDAY)
    assert closes(market) == [50.0, 51.0, 52.0, 52.5]
    assert quarantine(market) == [("2026-01-08", "bar", "rejected", "source")]


def test_a_null_never_goes_over_a_value(market: Market) -> None:
    """Wednesday's open is stored; the next day it comes 2 % over the high, which is left out."""
    market.run(as_of=THURSDAY)
    write_chart(market.folder, "BOLT", BOLT | {"2026-01-07": (54.0, 53.0, 51.0, 52.5, 300)})
    report = market.run(as_of=FRIDAY)
    assert (report.rows.changed, report.rows.held_back) == (0, 0)
    assert market.rows("select open, high from tb_bar where trade_date = '2026-01-07'") == [(51.5, 53.0)]
    assert quarantine(market) == [("2026-01-07", "bar", "repaired", None)]


def test_a_restated_history_is_held_until_its_split_is_known(market: Market) -> None:
    """The stored bars and their basis stay what they were; the split that would explain it waits to be released."""
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0))
    market.run(as_of=THURSDAY)
    before = market.bars()
    write_chart(market.folder, "BOLT", flat(25.0, 25.5, 26.0, 26.5, shares=2))
    report = market.run(as_of=FRIDAY)
    assert (report.exit_code, report.rows.held_back) == (1, 5)
    assert market.bars() == before
    (row,) = market.rows("select quarantine_id, trade_date::text, proposal from tb_quarantine where kind = 'split'")
    assert row[1:] == ("2026-01-08", {"value": 2.0})
    decide(market, row[0], proposed=True)
    report = market.run(as_of=FRIDAY)
    assert report.rows.model_dump() == {"new": 1, "changed": 0, "unchanged": 3, "held_back": 0}
    assert market.rows("select close from tb_price order by trade_date") == [(25.0,), (25.5,), (26.0,), (26.5,)]
    assert {row[2:] for row in quarantine(market)} == {("released", "kim"), ("released", "source")}
    market.audit()


def test_a_split_whose_history_is_not_restated_yet_lands_with_its_day(market: Market) -> None:
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0))
    market.run(as_of=THURSDAY)
    split = {"2026-01-08": (2, 1)}
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 26.5), splits=split)
    report = market.run(as_of=FRIDAY)
    assert (report.rows.new, report.rows.held_back, report.actions_new) == (1, 3, 1)
    write_chart(market.folder, "BOLT", flat(25.0, 25.5, 26.0, 26.5, shares=2), splits=split)
    report = market.run(as_of=FRIDAY)
    assert (report.rows.new, report.rows.changed, report.rows.held_back) == (0, 0, 0)
    assert market.rows("select close from tb_price order by trade_date") == [(25.0,), (25.5,), (26.0,), (26.5,)]
    assert {status for _, _, status, _ in quarantine(market)} == {"rejected"}


def test_a_dividend_in_pence_is_held_and_released_as_proposed(market: Market) -> None:
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0), dividends={"2026-01-06": 20.0})
    report = market.run(as_of=THURSDAY)
    assert (report.rows.new, report.rows.held_back, report.actions_new) == (3, 1, 0)
    assert decide(market, 1, proposed=True).actions_new == 1
    assert market.run(as_of=THURSDAY).rows.held_back == 0
    assert market.rows("select value from tb_action") == [(0.2,)]
    market.audit()


def test_another_currency_is_held(market: Market) -> None:
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0))
    market.run(as_of=THURSDAY)
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 53.0), currency="GBp")
    assert market.run(as_of=FRIDAY).rows.held_back == 4
    assert {row[0] for row in market.rows("select reason from tb_quarantine")} == {
        "quoted in GBp, a hundredth of its currency"
    }


def test_a_history_of_which_a_block_is_held_is_asked_for_again(market: Market) -> None:
    """A first load meets twelve days in cents; when the source has mended them the next run brings them."""
    import pandas as pd

    days = [str(day.date()) for day in pd.bdate_range("2025-12-01", "2026-01-07") if day.day not in (1, 25)]
    cents: dict[str, Bar] = {
        day: (close, close, close, close, 100 + place)
        for place, day in enumerate(days)
        for close in [5000.0 + place if place < 12 else 50.0 + place / 100]
    }
    write_chart(market.folder, "BOLT", cents)
    report = market.run(as_of=THURSDAY)
    assert (report.rows.new, report.rows.held_back) == (len(days) - 12, 12)
    assert market.rows("select history_loaded from tb_meta") == [(False,)]
    mended = {day: (bar[0] / 100,) * 4 + (bar[4],) if bar[0] > 1000 else bar for day, bar in cents.items()}
    write_chart(market.folder, "BOLT", mended)
    assert market.run(as_of=THURSDAY).rows.new == 12
    assert market.rows("select history_loaded from tb_meta") == [(True,)]
    assert {status for _, _, status, _ in quarantine(market)} == {"rejected"}
