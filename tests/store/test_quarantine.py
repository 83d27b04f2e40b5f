"""Rows held back, and what was decided about them."""

from datetime import date
from typing import Any

import pytest

from include.insight_invest.errors import UsageError
from include.insight_invest.store.database import Connection
from include.insight_invest.store.held import close_superseded, hold, record_repairs, rejected
from include.insight_invest.store.ledger import broken_invariants
from include.insight_invest.store.load import Counts, LoadContext
from include.insight_invest.store.quarantine import reject, release, rows
from include.insight_invest.store.read import held_rows
from tests.store.rows import (
    actions,
    bars,
    end_run,
    instant,
    load,
    revisions,
    start_run,
    stored_actions,
    stored_bars,
    ticker,
)

NOW = instant("2026-03-21 08")
ODD = {
    "meta_id": 1,
    "ticker": "MSFT",
    "trade_date": date(2026, 3, 19),
    "kind": "bar",
    "reason": "close outside low and high",
    "payload": {"open": 11.0, "high": 13.0, "low": 10.0, "close": 14.0, "volume": 2000.0, "basis_date": "2026-03-19"},
    "proposal": None,
}


@pytest.fixture(autouse=True)
def msft(connection: Connection) -> None:
    ticker(connection, "MSFT")


def hold_in_a_run(connection: Connection, *held: dict[str, Any], as_of: str = "2026-03-20 09") -> int:
    run_id = start_run(connection, as_of)
    context = LoadContext(run_id, instant(as_of))
    waiting = hold(connection, held, context, source="yahoo", currency="USD")
    end_run(connection, run_id)
    return len(waiting)


def changed(**payload: object) -> dict[str, Any]:
    return {**ODD, "payload": {**ODD["payload"], **payload}}  # type: ignore[dict-item]


def test_a_held_row_keeps_its_reason_and_raw_values(connection: Connection) -> None:
    assert hold_in_a_run(connection, ODD) == 1
    (held,) = rows(connection)
    assert (held.quarantine_id, held.meta_id, held.ticker, str(held.trade_date)) == (1, 1, "MSFT", "2026-03-19")
    assert (held.source, held.reason, held.status) == ("yahoo", "close outside low and high", "held")
    assert held.payload == {
        "open": 11.0,
        "high": 13.0,
        "low": 10.0,
        "close": 14.0,
        "volume": 2000.0,
        "basis_date": "2026-03-19",
        "currency": "USD",
    }
    assert held.held_at == instant("2026-03-20 09")
    assert held_rows(connection) == 1


def test_the_same_row_again_is_the_same_row(connection: Connection) -> None:
    hold_in_a_run(connection, ODD)
    assert hold_in_a_run(connection, ODD) == 1
    assert [held.quarantine_id for held in rows(connection)] == [1]


def test_the_same_row_read_on_another_day_is_the_same_row(connection: Connection) -> None:
    """Yahoo quotes it in that day's shares, which are the same shares as long as nothing is split."""
    hold_in_a_run(connection, ODD)
    assert hold_in_a_run(connection, changed(basis_date="2026-03-20"), as_of="2026-03-21 09") == 1
    assert [(held.quarantine_id, held.held_at) for held in rows(connection)] == [(1, instant("2026-03-20 09"))]


def test_other_values_of_the_same_day_are_another_row(connection: Connection) -> None:
    assert hold_in_a_run(connection, ODD, changed(close=15.0)) == 2
    assert [held.payload["close"] for held in rows(connection)] == [15.0, 14.0]
    assert [held.payload["close"] for held in rows(connection, limit=1)] == [15.0]


def test_a_released_row_is_stored_with_a_ledger_row_of_its_own(connection: Connection) -> None:
    hold_in_a_run(connection, ODD)
    assert release(connection, 1, by="ann", note="a real spike", now=NOW) == Counts(new=1, tickers={1})
    # without the high that its close contradicts
    assert stored_bars(connection) == [("2026-03-19", 11.0, None, 10.0, 14.0, 2000, "2026-03-19", "yahoo")]
    audit = "select run_id, job, status, trigger, rows_new, started_at from tb_job_run where job = 'quarantine'"
    assert connection.execute(audit).fetchall() == [(2, "quarantine", "succeeded", "ann", 1, NOW)]
    assert connection.execute("select run_id, currency, final from tb_bar").fetchall() == [(2, "USD", False)]
    assert broken_invariants(connection, "us-price") == []


def test_a_decision_leaves_a_trail(connection: Connection) -> None:
    hold_in_a_run(connection, ODD, changed(close=15.0))
    release(connection, 1, by="ann", note="a real spike", now=NOW)
    reject(connection, 2, by="bob", note="a typing error", now=NOW)
    trail = "select quarantine_id, status, decided_at, decided_by, note from tb_quarantine order by 1"
    assert connection.execute(trail).fetchall() == [
        (1, "released", NOW, "ann", "a real spike"),
        (2, "rejected", NOW, "bob", "a typing error"),
    ]
    assert rows(connection) == []
    assert [held.quarantine_id for held in rows(connection, "released")] == [1]
    assert [held.quarantine_id for held in rows(connection, "rejected")] == [2]
    assert held_rows(connection) == 0


@pytest.mark.parametrize("decide", [release, reject])
def test_what_was_decided_stays_when_the_row_comes_again(connection: Connection, decide: Any) -> None:
    hold_in_a_run(connection, ODD)
    decide(connection, 1, by="ann", note="", now=NOW)
    assert hold_in_a_run(connection, ODD) == 0
    assert rows(connection) == []


def test_a_released_row_goes_over_what_is_stored(connection: Connection) -> None:
    load(connection, bars(("2026-03-19", 11.0, 13.0, 10.0, 12.0, 2000, "2026-03-19")), source="krx")
    hold_in_a_run(connection, ODD)
    assert release(connection, 1, by="ann", note="", now=NOW) == Counts(changed=1, tickers={1})
    assert [(row[4], row[7]) for row in stored_bars(connection)] == [(14.0, "yahoo")]
    assert revisions(connection) == [("2026-03-19", 12.0, 2000, "krx", 1, 3)]


def test_a_row_released_after_a_split_is_in_the_shares_it_was_quoted_in(connection: Connection) -> None:
    load(connection, bars(("2026-03-19", 11.0, 13.0, 10.0, 12.0, 2000, "2026-03-19")))
    hold_in_a_run(connection, ODD)
    load(connection, events=actions(("2026-03-20", "split", 2.0, "2026-03-20")))
    release(connection, 1, by="ann", note="", now=NOW)
    assert connection.execute("select close, volume from tb_price").fetchall() == [(7.0, 4000.0)]


def test_missing_values_of_a_released_row_stay_missing(connection: Connection) -> None:
    hold_in_a_run(connection, changed(open=None, volume=None))
    release(connection, 1, by="ann", note="", now=NOW)
    assert stored_bars(connection) == [("2026-03-19", None, None, 10.0, 14.0, None, "2026-03-19", "yahoo")]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"close": None}, "row 1 has no positive close: it cannot be stored, only rejected"),
        ({"close": 0.0}, "row 1 has no positive close: it cannot be stored, only rejected"),
        ({"high": "inf"}, "row 1 has a value that is not finite: it cannot be stored, only rejected"),
    ],
)
def test_a_row_that_cannot_be_stored_is_not_released(
    connection: Connection, payload: dict[str, object], message: str
) -> None:
    hold_in_a_run(connection, changed(**payload))
    with pytest.raises(UsageError, match=message):
        release(connection, 1, by="ann", note="", now=NOW)
    assert [held.status for held in rows(connection)] == ["held"]
    assert stored_bars(connection) == []
    assert connection.execute("select count(*) from tb_job_run where job = 'quarantine'").fetchone() == (0,)
    reject(connection, 1, by="ann", note="", now=NOW)


@pytest.mark.parametrize("decide", [release, reject])
def test_only_a_held_row_can_be_decided(connection: Connection, decide: Any) -> None:
    hold_in_a_run(connection, ODD)
    reject(connection, 1, by="ann", note="", now=NOW)
    for quarantine_id, said in (
        (1, "row 1 was rejected by ann at 2026-03-21 08:00 UTC"),
        (99, "there is no row 99: `quarantine list` shows those there are"),
    ):
        with pytest.raises(UsageError, match=said):
            decide(connection, quarantine_id, by="ann", note="", now=NOW)


# Splits, dividends, proposals ---------------------------------------------------------------------------------------

DIVIDEND = {
    "meta_id": 1,
    "ticker": "MSFT",
    "trade_date": date(2026, 3, 19),
    "kind": "dividend",
    "reason": "a large dividend without a fall of the price",
    "payload": {"value": 56.0, "basis_date": "2026-03-19"},
    "proposal": {"value": 0.56},
}
PENCE = {**ODD, "proposal": {"open": 0.11, "high": 0.13, "low": 0.1, "close": 0.14, "volume": 2000.0}}


def test_a_bar_and_a_dividend_of_one_day_are_two_rows(connection: Connection) -> None:
    assert hold_in_a_run(connection, ODD, DIVIDEND) == 2
    assert [(held.kind, held.proposal) for held in rows(connection)] == [("dividend", {"value": 0.56}), ("bar", None)]


@pytest.mark.parametrize(("proposed", "value"), [(False, 56.0), (True, 0.56)])
def test_a_released_dividend_is_an_action(connection: Connection, proposed: bool, value: float) -> None:
    hold_in_a_run(connection, DIVIDEND)
    counts = release(connection, 1, by="ann", note="", now=NOW, proposed=proposed)
    assert counts == Counts(actions_new=1, tickers={1})
    assert stored_actions(connection) == [("2026-03-19", "dividend", value, "2026-03-19", [])]
    audit = "select job, status, actions_new from tb_job_run order by run_id desc limit 1"
    assert connection.execute(audit).fetchall() == [("quarantine", "succeeded", 1)]
    assert broken_invariants(connection, "us-price") == []


def test_a_proposal_may_name_another_ex_date(connection: Connection) -> None:
    hold_in_a_run(connection, {**DIVIDEND, "proposal": {"value": 56.0, "ex_date": "2026-03-20"}})
    release(connection, 1, by="ann", note="", now=NOW, proposed=True)
    assert stored_actions(connection) == [("2026-03-20", "dividend", 56.0, "2026-03-19", [])]


def test_the_proposed_bar_is_stored_in_the_place_of_the_bar(connection: Connection) -> None:
    hold_in_a_run(connection, PENCE)
    assert release(connection, 1, by="ann", note="", now=NOW, proposed=True) == Counts(new=1, tickers={1})
    assert stored_bars(connection) == [("2026-03-19", 0.11, None, 0.1, 0.14, 2000, "2026-03-19", "yahoo")]


def test_a_proposal_may_be_in_another_money(connection: Connection) -> None:
    hold_in_a_run(connection, {**PENCE, "proposal": PENCE["proposal"] | {"currency": "GBP"}})  # type: ignore[operator]
    release(connection, 1, by="ann", note="", now=NOW, proposed=True)
    assert connection.execute("select close, currency from tb_bar").fetchall() == [(0.14, "GBP")]


def test_a_split_that_nobody_named_can_be_released_only_as_proposed(connection: Connection) -> None:
    unnamed = {**DIVIDEND, "kind": "split", "payload": {"value": None, "basis_date": "2026-03-19"}}
    hold_in_a_run(connection, {**unnamed, "proposal": {"value": 2.0}})
    with pytest.raises(UsageError, match=r"row 1 has no positive value.*its proposal can be \(--proposed\)"):
        release(connection, 1, by="ann", note="", now=NOW)
    release(connection, 1, by="ann", note="", now=NOW, proposed=True)
    assert stored_actions(connection) == [("2026-03-19", "split", 2.0, "2026-03-19", [])]


def test_a_row_without_a_proposal_cannot_be_released_as_proposed(connection: Connection) -> None:
    hold_in_a_run(connection, ODD)
    with pytest.raises(UsageError, match="row 1 has no proposal: release it as it is, or reject it"):
        release(connection, 1, by="ann", note="", now=NOW, proposed=True)
    assert [held.status for held in rows(connection)] == ["held"]


def test_a_repair_is_recorded_once_and_waits_for_nobody(connection: Connection) -> None:
    for as_of in ("2026-03-20 09", "2026-03-21 09"):
        run_id = start_run(connection, as_of)
        record_repairs(connection, [ODD], LoadContext(run_id, instant(as_of)), source="yahoo", currency="USD")
        end_run(connection, run_id)
    assert held_rows(connection) == 0
    assert [(held.quarantine_id, held.held_at) for held in rows(connection, "repaired")] == [
        (1, instant("2026-03-20 09"))
    ]


@pytest.mark.parametrize(
    ("close", "trail"),
    [
        (12.0, ("rejected", "source", "a later read of the source was good")),
        (14.0, ("released", "source", "confirmed by a later read")),
    ],
)
def test_what_the_source_says_later_decides(connection: Connection, close: float, trail: tuple[str, ...]) -> None:
    hold_in_a_run(connection, ODD, {**ODD, "trade_date": date(2026, 3, 18)})
    good = bars(("2026-03-19", 11.0, 14.0, 10.0, close, 2000, "2026-03-20"))
    context = LoadContext(start_run(connection), instant("2026-03-21 09"))
    closed = close_superseded(connection, good, actions(), context, sources=["yahoo", "nasdaq"], held=set())
    assert closed == 1
    found = connection.execute(
        "select status, decided_by, note from tb_quarantine where trade_date = '2026-03-19' and decided_at = %s",
        [instant("2026-03-21 09")],
    ).fetchall()
    assert found == [trail]
    assert [str(held.trade_date) for held in rows(connection)] == ["2026-03-18"]


def test_another_source_decides_nothing(connection: Connection) -> None:
    hold_in_a_run(connection, ODD)
    good = bars(("2026-03-19", 11.0, 14.0, 10.0, 12.0, 2000, "2026-03-20"))
    context = LoadContext(start_run(connection), instant("2026-03-21 09"))
    assert close_superseded(connection, good, actions(), context, sources=["nasdaq"], held=set()) == 0


def test_a_held_row_says_what_the_last_read_said(connection: Connection) -> None:
    """Its volume and its reason moved; the close is the same to seven figures, and so it is the same row."""
    hold_in_a_run(connection, ODD)
    later = {**changed(close=14.0000001, volume=2500.0, basis_date="2026-03-20"), "reason": "another reason"}
    assert hold_in_a_run(connection, later, as_of="2026-03-21 09") == 1
    (held,) = rows(connection)
    assert (held.quarantine_id, held.held_at, held.reason) == (1, instant("2026-03-20 09"), "another reason")
    assert (held.payload["volume"], held.payload["basis_date"]) == (2500.0, "2026-03-20")


def test_two_rows_of_one_day_and_close_are_held_once(connection: Connection) -> None:
    assert hold_in_a_run(connection, ODD, changed(volume=1.0)) == 2
    assert [held.payload["volume"] for held in rows(connection)] == [2000.0]


def test_a_row_that_was_repaired_may_be_held_as_well(connection: Connection) -> None:
    run_id = start_run(connection)
    record_repairs(connection, [ODD], LoadContext(run_id, NOW), source="yahoo", currency="USD")
    end_run(connection, run_id)
    assert hold_in_a_run(connection, ODD) == 1
    assert [(held.quarantine_id, held.status) for held in (*rows(connection), *rows(connection, "repaired"))] == [
        (2, "held"),
        (1, "repaired"),
    ]


def test_what_an_operator_rejects_is_told_from_what_the_source_corrected(connection: Connection) -> None:
    hold_in_a_run(connection, ODD, changed(close=15.0), DIVIDEND)
    reject(connection, 1, by="ann", note="", now=NOW)
    reject(connection, 2, by="source", note="", now=NOW)
    reject(connection, 3, by="ann", note="", now=NOW)
    found = rejected(connection, [1], source="yahoo").astype({"trade_date": str})
    assert sorted(found.itertuples(index=False, name=None)) == [
        (1, "2026-03-19", "bar", 14.0),
        (1, "2026-03-19", "dividend", 56.0),
    ]
    assert rejected(connection, [1], source="nasdaq").empty


def test_a_bar_of_a_better_source_closes_the_question(connection: Connection) -> None:
    hold_in_a_run(connection, ODD, DIVIDEND)
    good = bars(("2026-03-19", 11.0, 14.0, 10.0, 12.0, 2000, "2026-03-20"))
    context = LoadContext(start_run(connection), instant("2026-03-21 09"))
    assert close_superseded(connection, good, actions(), context, sources=["krx", "yahoo"], held=set()) == 1
    assert [(held.kind, held.status, held.note) for held in rows(connection, "rejected")] == [
        ("bar", "rejected", "the bar of a better source came")
    ]
    assert [held.kind for held in rows(connection)] == ["dividend"]


def test_a_second_sources_row_cannot_be_released_over_the_first_ones(connection: Connection) -> None:
    load(connection, bars(("2026-03-19", 11.0, 13.0, 10.0, 12.0, 2000, "2026-03-19")), source="yahoo")
    context = LoadContext(start_run(connection), NOW)
    hold(connection, [ODD], context, source="nasdaq", currency="USD")
    with pytest.raises(UsageError, match="row 1 is nasdaq's, and for 2026-03-19 the better bar of yahoo is stored"):
        release(connection, 1, by="ann", note="", now=NOW)
    assert [held.status for held in rows(connection)] == ["held"]
    assert [(row[4], row[7]) for row in stored_bars(connection)] == [(12.0, "yahoo")]
