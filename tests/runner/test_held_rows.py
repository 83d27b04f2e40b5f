"""What whole runs do with rows that cannot be: held, told, decided, and never in the way of the next run."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from include.insight_invest import sessions
from include.insight_invest.errors import UsageError
from include.insight_invest.store.database import connect
from include.insight_invest.store.load import Counts
from include.insight_invest.store.quarantine import reject, release
from tests.fixtures.market import BOLT, THURSDAY_KR, Market
from tests.folders import Bar, write_chart, write_krx
from tests.replay import Fault
from tests.runner.test_fallback import list_shares

THURSDAY, FRIDAY, SATURDAY = (f"2026-01-{day:02}T12:00+00:00" for day in (8, 9, 10))
NOW = datetime(2026, 1, 9, 15, tzinfo=UTC)
PAID = {"2026-01-07": 50.0}
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


# What an operator rejects is no word of the source any more ---------------------------------------------------------


def turn_down(market: Market, quarantine_id: int) -> None:
    with connect(market.url) as connection:
        reject(connection, quarantine_id, by="kim", note="", now=NOW)


def test_a_rejected_bar_stays_out_also_where_the_next_session_would_confirm_it(market: Market) -> None:
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 520.0))
    market.run(as_of=THURSDAY)
    market.run(as_of=FRIDAY)
    turn_down(market, 1)
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 520.0, 53.0))
    report = market.run(as_of=SATURDAY)
    assert (report.rows.new, report.rows.held_back) == (1, 0)
    assert closes(market) == [50.0, 51.0, 52.0, 53.0]
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 52.5, 53.0))
    assert market.run(as_of=SATURDAY).rows.new == 1
    assert closes(market) == [50.0, 51.0, 52.0, 52.5, 53.0]
    market.audit()


def test_a_rejected_bar_is_not_asked_about_again_because_its_volume_moves(market: Market) -> None:
    pence = flat(50.0, 51.0, 52.0, 5200.0)
    write_chart(market.folder, "BOLT", pence)
    market.run(as_of=THURSDAY)
    market.run(as_of=FRIDAY)
    turn_down(market, 1)
    write_chart(market.folder, "BOLT", pence | {"2026-01-08": (5200.0, 5200.0, 5200.0, 5200.0, 108)})
    assert market.run(as_of=FRIDAY).rows.held_back == 0
    assert quarantine(market) == [("2026-01-08", "bar", "rejected", "kim")]


def test_a_rejected_split_is_left_out_of_every_check(market: Market) -> None:
    """Yahoo lists 2:1 for a day without a move, and goes on; once rejected it holds nothing up."""
    phantom = {"2026-01-08": (2, 1)}
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0))
    market.run(as_of=THURSDAY)
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 53.0), splits=phantom)
    assert market.run(as_of=FRIDAY).rows.held_back == 1
    turn_down(market, 1)
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0, 53.0, 26.5), splits=phantom)
    report = market.run(as_of=SATURDAY)
    assert (report.rows.new, report.rows.held_back, report.actions_new) == (1, 0, 0)
    assert closes(market) == [50.0, 51.0, 52.0, 53.0, 26.5]


# What the source mends later -----------------------------------------------------------------------


@pytest.mark.parametrize("bad", [(5200.0,) * 4, (52.0, 52.0, 52.0, None)])
def test_a_held_row_that_is_mended_after_the_look_back_is_stored(market: Market, bad: Any) -> None:
    days = [str(day) for day in sessions.sessions("XNYS", date(2026, 1, 5), date(2026, 1, 26))]
    good: dict[str, Bar] = {day: (50.0 + n % 3,) * 4 + (100 + n,) for n, day in enumerate(days)}
    for n in (2, *range(3, 13)):
        seen = {day: good[day] for day in days[: n + 1]}
        write_chart(market.folder, "BOLT", seen | ({days[3]: (*bad, 103)} if n > 2 else {}))
        market.run(as_of=f"{date.fromisoformat(days[n]) + timedelta(days=1)}T12:00+00:00")
    assert quarantine(market) == [(days[3], "bar", "held", None)]
    write_chart(market.folder, "BOLT", {day: good[day] for day in days[:14]})
    market.run(as_of=f"{date.fromisoformat(days[13]) + timedelta(days=1)}T12:00+00:00")
    assert closes(market) == [50.0 + n % 3 for n in range(14)]
    assert quarantine(market) == [(days[3], "bar", "rejected", "source")]
    market.audit()


# Money, and who else says so ----------------------------------------------------------------------


def test_an_answer_without_a_currency_has_failed(market: Market) -> None:
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0), currency="")
    report = market.run(as_of=THURSDAY)
    assert [(problem.ticker, problem.reason) for problem in report.problems] == [
        ("BOLT", "Yahoo names no currency for BOLT")
    ]
    assert market.bars() == []
    write_chart(market.folder, "BOLT", flat(50.0, 51.0, 52.0))
    assert market.run(as_of=THURSDAY).rows.new == 3


def test_a_close_of_the_second_source_is_checked_against_the_firsts_session_before(market: Market) -> None:
    """The listings have BOLT's price in cents; 24 others prove of which session they are."""
    names = [f"T{chr(65 + place)}" for place in range(24)]
    market.follow(*names)
    for name in ("BOLT", *names):
        write_chart(market.folder, name, flat(50.0, 51.0, 52.0))
    market.run(as_of=THURSDAY)
    list_shares(market, ("BOLT", "$5400.00", "5348.00", "397"), *[(name, "$54.00", "2.00", "397") for name in names])
    market.replay.fault(Fault.SERVER_ERROR, source="yahoo")
    report = market.run(as_of=FRIDAY, settings=market.settings(attempts=1))
    assert (report.rows.new, report.rows.held_back) == (24, 1)
    assert market.rows("select ticker, source, payload ->> 'close' from tb_quarantine") == [
        ("BOLT", "nasdaq", "5400.0")
    ]


class TestAFallbacksRow:
    """Yahoo stood in for KRX with a price beyond the limits, which is held."""

    @pytest.fixture(autouse=True)
    def held(self, market: Market) -> None:
        market.rows("delete from tb_meta")
        (market.folder / "naver" / "005930.sise.xml").unlink()
        write_chart(market.folder, "005930.KS", flat(1000.0, 1010.0, 1050.0, 1600.0), currency="KRW", dividends=PAID)
        (market.folder / "krx_listing" / "krx-2026-01-08.csv").unlink()
        market.run("kr-price", as_of="2026-01-07T12:00+00:00")
        market.run("kr-price", as_of="2026-01-09T03:00+00:00")
        assert quarantine(market) == [("2026-01-08", "bar", "held", None)]

    def test_the_bar_of_the_better_source_closes_the_question(self, market: Market) -> None:
        write_krx(market.folder, "2026-01-08", THURSDAY_KR)
        market.run("kr-price", as_of="2026-01-09T03:00+00:00")
        assert market.rows("select status, decided_by, note from tb_quarantine") == [
            ("rejected", "source", "the bar of a better source came")
        ]

    def test_it_cannot_go_over_the_bar_of_the_better_source(self, market: Market) -> None:
        market.rows(
            "insert into tb_bar select meta_id, '2026-01-08', open, high, low, 1150, volume, '2026-01-08', source, "
            "currency, observed_at, final, run_id from tb_bar join tb_meta using (meta_id) "
            "where ticker = '005930' and trade_date = '2026-01-07'"
        )
        with pytest.raises(UsageError, match="row 1 is yahoo's, and for 2026-01-08 the better bar of krx is stored"):
            decide(market, 1, proposed=False)
        assert quarantine(market) == [("2026-01-08", "bar", "held", None)]
        assert market.rows("select close from tb_bar where trade_date = '2026-01-08'") == [(1150.0,)]

    def test_its_dividends_are_left_out(self, market: Market) -> None:
        """They would be known only of the days on which Yahoo stood in."""
        assert market.rows("select * from tb_action") == []
