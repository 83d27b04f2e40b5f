"""Loading splits and dividends."""

from datetime import date

import pytest

from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Change, Counts
from tests.store.rows import actions, load, stored_actions, ticker

DIVIDEND = ("2020-08-07", "dividend", 0.82, "2020-08-07")
SPLIT = ("2020-08-31", "split", 4.0, "2020-08-31")
RESTATED = ("2020-08-07", "dividend", 0.205, "2020-08-31")


@pytest.fixture(autouse=True)
def aapl(connection: Connection) -> None:
    ticker(connection, "AAPL")


def test_actions_are_stored_as_quoted(connection: Connection) -> None:
    assert load(connection, events=actions(DIVIDEND, SPLIT), currency="USD") == Counts(actions_new=2, tickers={1})
    assert stored_actions(connection) == [
        ("2020-08-07", "dividend", 0.82, "2020-08-07", []),
        ("2020-08-31", "split", 4.0, "2020-08-31", []),
    ]
    assert connection.execute("select distinct source, currency, run_id from tb_action").fetchall() == [
        ("yahoo", "USD", 1)
    ]


def test_the_same_actions_again_write_nothing(connection: Connection) -> None:
    load(connection, events=actions(DIVIDEND, SPLIT))
    before = connection.execute("select xmin::text, * from tb_action order by ex_date").fetchall()
    assert load(connection, events=actions(DIVIDEND, SPLIT)) == Counts()
    assert connection.execute("select xmin::text, * from tb_action order by ex_date").fetchall() == before


def test_a_correction_keeps_what_was_said_earlier(connection: Connection) -> None:
    load(connection, events=actions(DIVIDEND))
    corrected = actions(("2020-08-07", "dividend", 0.8, "2020-08-07"))
    assert load(connection, events=corrected) == Counts(actions_changed=1, tickers={1})
    load(connection, events=actions(("2020-08-07", "dividend", 0.81, "2020-08-07")), source="krx")
    assert stored_actions(connection) == [
        (
            "2020-08-07",
            "dividend",
            0.81,
            "2020-08-07",
            [
                {"value": 0.82, "basis_date": "2020-08-07", "source": "yahoo", "run_id": 1},
                {"value": 0.8, "basis_date": "2020-08-07", "source": "yahoo", "run_id": 2},
            ],
        )
    ]


def test_a_dividend_restated_after_a_split_is_no_change(connection: Connection) -> None:
    load(connection, events=actions(DIVIDEND))
    assert load(connection, events=actions(RESTATED, SPLIT)) == Counts(actions_new=1, tickers={1})
    assert load(connection, events=actions(RESTATED)) == Counts()
    assert stored_actions(connection)[0] == ("2020-08-07", "dividend", 0.82, "2020-08-07", [])


def test_a_correction_after_a_split_is_stored_as_quoted(connection: Connection) -> None:
    load(connection, events=actions(DIVIDEND, SPLIT))
    load(connection, events=actions(("2020-08-07", "dividend", 0.2, "2020-08-31")))
    day, kind, value, basis, earlier = stored_actions(connection)[0]
    assert (day, kind, value, basis) == ("2020-08-07", "dividend", 0.2, "2020-08-31")
    assert [(step["value"], step["basis_date"]) for step in earlier] == [(0.82, "2020-08-07")]


def test_an_amount_restated_for_a_split_that_lands_later_is_right_in_the_end(connection: Connection) -> None:
    load(connection, events=actions(DIVIDEND))
    load(connection, events=actions(RESTATED))
    load(connection, events=actions(SPLIT))
    assert load(connection, events=actions(DIVIDEND)) == Counts()
    assert stored_actions(connection)[0][:4] == ("2020-08-07", "dividend", 0.205, "2020-08-31")


def test_a_past_run_repeated_quotes_in_the_older_shares(connection: Connection) -> None:
    load(connection, events=actions(RESTATED, SPLIT))
    assert load(connection, events=actions(DIVIDEND)) == Counts()
    assert stored_actions(connection)[0] == ("2020-08-07", "dividend", 0.205, "2020-08-31", [])


def test_a_dividend_is_compared_by_the_corrected_ratio_of_a_split(connection: Connection) -> None:
    load(connection, events=actions(DIVIDEND, ("2020-08-31", "split", 3.0, "2020-08-31")))
    assert load(connection, events=actions(RESTATED, SPLIT)) == Counts(actions_changed=1, tickers={1})
    assert [row[:4] for row in stored_actions(connection)] == [DIVIDEND, SPLIT]


def test_amounts_that_yahoo_rounds_are_no_change(connection: Connection) -> None:
    """0.73 / 28 is 0.026071428…, which Yahoo writes as 0.026071."""
    load(connection, events=actions(("2020-05-08", "dividend", 0.73, "2020-05-08")))
    restated = actions(("2020-05-08", "dividend", 0.026071, "2020-08-31"), ("2020-08-31", "split", 28.0, "2020-08-31"))
    assert load(connection, events=restated) == Counts(actions_new=1, tickers={1})


@pytest.mark.parametrize("basis", ["2020-05-08", "2020-08-31"])
def test_a_past_run_does_not_take_a_rounded_amount_for_a_correction(connection: Connection, basis: str) -> None:
    """Yahoo's 0.026071 of today, put back into the shares of the day, is 0.729988."""
    split = ("2020-08-31", "split", 28.0, "2020-08-31")
    amount = {"2020-05-08": 0.73, "2020-08-31": 0.026071}[basis]
    load(connection, events=actions(("2020-05-08", "dividend", amount, basis), split))
    assert load(connection, events=actions(("2020-05-08", "dividend", 0.026071 * 28, "2020-05-08"))) == Counts()
    assert load(connection, events=actions(("2020-05-08", "dividend", 0.73, "2020-05-08"))) == Counts()


def test_a_split_and_a_dividend_of_one_day_are_two_actions(connection: Connection) -> None:
    both = actions(SPLIT, ("2020-08-31", "dividend", 0.2, "2020-08-31"))
    assert load(connection, events=both) == Counts(actions_new=2, tickers={1})


def test_a_dry_run_is_told_every_action(connection: Connection) -> None:
    load(connection, events=actions(DIVIDEND))
    told: list[Change] = []
    with connection.transaction(force_rollback=True):
        corrected = actions(("2020-08-07", "dividend", 0.8, "2020-08-07"), SPLIT)
        load(connection, events=corrected, on_change=told.append)
    assert sorted(told, key=lambda change: change.day) == [
        Change("tb_action", "AAPL dividend", date(2020, 8, 7), {"value": 0.82}, {"value": 0.8}),
        Change("tb_action", "AAPL split", date(2020, 8, 31), None, {"value": 4.0}),
    ]
    assert [row[2] for row in stored_actions(connection)] == [0.82]
