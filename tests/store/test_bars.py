"""Loading bars: what is new, what is changed, and what only looks like it."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import broken_invariants
from include.insight_invest.store.load import Change, Counts
from tests.store.rows import NAN, actions, bars, counted, load, revisions, stored_bars, ticker


@pytest.fixture(autouse=True)
def msft(connection: Connection) -> None:
    ticker(connection, "MSFT")


WED = ("2026-03-18", 10.0, 12.0, 9.0, 11.0, 1000, "2026-03-18")
THU = ("2026-03-19", 11.0, 13.0, 10.0, 12.0, 2000, "2026-03-19")


def test_new_bars_are_stored_as_quoted(connection: Connection) -> None:
    assert load(connection, bars(WED, THU)) == Counts(new=2, tickers={1})
    assert stored_bars(connection) == [(*WED, "yahoo"), (*THU, "yahoo")]
    assert connection.execute("select currency, observed_at::text, final, run_id from tb_bar").fetchall() == [
        ("USD", "2026-03-20 09:00:00+00", False, 1),
        ("USD", "2026-03-20 09:00:00+00", False, 1),
    ]


def test_the_same_bars_again_write_nothing(connection: Connection) -> None:
    load(connection, bars(WED, THU))
    before = connection.execute("select xmin::text, * from tb_bar order by trade_date").fetchall()
    assert load(connection, bars(WED, THU), as_of="2026-03-20 10") == Counts(unchanged=2)
    assert connection.execute("select xmin::text, * from tb_bar order by trade_date").fetchall() == before
    assert revisions(connection) == []


def test_a_corrected_bar_keeps_its_earlier_values(connection: Connection) -> None:
    load(connection, bars(WED, THU))
    corrected = ("2026-03-19", 11.0, 13.5, 10.0, 12.0, 2100, "2026-03-19")
    assert load(connection, bars(WED, corrected), as_of="2026-03-21 09") == Counts(changed=1, unchanged=1, tickers={1})
    assert stored_bars(connection) == [(*WED, "yahoo"), (*corrected, "yahoo")]
    kept = connection.execute(
        "select trade_date::text, open, high, low, close, volume, basis_date::text, source, currency, "
        "observed_at::text, final, run_id, replaced_at::text, replaced_by from tb_bar_revision"
    ).fetchall()
    assert kept == [
        (*THU, "yahoo", "USD", "2026-03-20 09:00:00+00", False, 1, "2026-03-21 09:00:00+00", 2),
    ]


def test_new_changed_and_unchanged_in_one_batch(connection: Connection) -> None:
    load(connection, bars(WED, THU))
    fri = ("2026-03-20", 12.0, 14.0, 11.0, 13.0, 3000, "2026-03-20")
    wed = ("2026-03-18", 10.0, 12.0, 9.0, 11.5, 1000, "2026-03-20")
    assert counted(load(connection, bars(wed, THU, fri))) == (1, 1, 1)
    assert [row[4] for row in stored_bars(connection)] == [11.5, 12.0, 13.0]


def test_a_missing_value_never_overwrites_one(connection: Connection) -> None:
    load(connection, bars(WED))
    assert counted(load(connection, bars(("2026-03-18", NAN, NAN, NAN, 11.0, NAN, "2026-03-18")))) == (0, 0, 1)
    assert counted(load(connection, bars(("2026-03-18", NAN, NAN, NAN, 11.5, NAN, "2026-03-18")))) == (0, 1, 0)
    assert stored_bars(connection) == [("2026-03-18", 10.0, 12.0, 9.0, 11.5, 1000, "2026-03-18", "yahoo")]


def test_a_missing_close_never_overwrites_one(connection: Connection) -> None:
    load(connection, bars(WED))
    assert counted(load(connection, bars(("2026-03-18", 10.0, 12.0, 9.0, NAN, 1000, "2026-03-18")))) == (0, 0, 1)
    assert counted(load(connection, bars(("2026-03-18", 10.0, 12.5, 9.0, NAN, 1000, "2026-03-18")))) == (0, 1, 0)
    assert stored_bars(connection) == [("2026-03-18", 10.0, 12.5, 9.0, 11.0, 1000, "2026-03-18", "yahoo")]


@pytest.mark.parametrize(
    ("quoted", "stored"),
    [
        ((NAN, NAN, NAN, 12.5), (10.0, None, 9.0, 12.5)),
        ((NAN, NAN, NAN, 8.5), (10.0, 12.0, None, 8.5)),
        ((10.5, NAN, 9.5, 12.5), (10.5, None, 9.5, 12.5)),
        ((12.5, NAN, 10.0, 11.0), (12.5, None, 10.0, 11.0)),
        ((NAN, 12.0, 10.5, 11.0), (None, 12.0, 10.5, 11.0)),
        ((NAN, 8.5, 8.0, 8.2), (None, 8.5, 8.0, 8.2)),
        ((11.0, 12.0, 11.5, 13.0), (11.0, None, 11.5, 13.0)),
        ((NAN, NAN, NAN, 12.01), (10.0, 12.0, 9.0, 12.01)),
    ],
    ids=["high", "low", "half a bar", "by its open", "the open by its range", "by another range", "its own", "a tick"],
)
def test_a_stored_value_that_the_new_ones_contradict_goes_to_the_revision(
    connection: Connection, quoted: tuple[float, float, float, float], stored: tuple[float | None, ...]
) -> None:
    load(connection, bars(WED))
    again = bars(("2026-03-18", *quoted, 1000, "2026-03-18"))
    assert counted(load(connection, again)) == (0, 1, 0)
    assert [row[1:5] for row in stored_bars(connection)] == [stored]
    assert connection.execute("select open, high, low, close from tb_bar_revision").fetchall() == [WED[1:5]]
    assert counted(load(connection, again)) == (0, 0, 1)


def test_korea_quotes_whole_won_and_needs_no_tick(connection: Connection) -> None:
    load(
        connection,
        bars(("2026-03-18", 1000.0, 1200.0, 900.0, 1100.0, 1000, "2026-03-18")),
        source="krx",
        currency="KRW",
    )
    close = bars(("2026-03-18", NAN, NAN, NAN, 1200.01, 1000, "2026-03-18"))
    load(connection, close, source="krx", currency="KRW")
    assert [row[1:5] for row in stored_bars(connection)] == [(1000.0, None, 900.0, 1200.01)]


def test_an_impossible_bar_is_found(connection: Connection) -> None:
    load(connection, bars(WED, THU))
    assert broken_invariants(connection, "us-price") == []
    connection.execute("update tb_bar set close = 12.02 where trade_date = '2026-03-18'")
    connection.execute("update tb_bar set close = 9.99 where trade_date = '2026-03-19'")
    assert broken_invariants(connection, "us-price") == [
        "the bar of MSFT on 2026-03-18 is impossible: close 12.02, low 9, high 12"
    ]


def test_a_value_that_was_missing_is_filled_in(connection: Connection) -> None:
    load(connection, bars(("2026-03-18", NAN, NAN, NAN, 11.0, NAN, "2026-03-18")))
    assert stored_bars(connection) == [("2026-03-18", None, None, None, 11.0, None, "2026-03-18", "yahoo")]
    assert counted(load(connection, bars(WED))) == (0, 1, 0)
    assert stored_bars(connection) == [(*WED, "yahoo")]


def test_the_rounding_of_32_bit_floats_is_no_change(connection: Connection) -> None:
    load(connection, bars(("2026-03-18", 10.1, 12.3, 9.7, 11.7, 1000, "2026-03-18")))
    yahoo = [float(np.float32(value)) for value in (10.1, 12.3, 9.7, 11.7)]
    assert yahoo != [10.1, 12.3, 9.7, 11.7]
    quoted = bars(("2026-03-18", yahoo[0], yahoo[1], yahoo[2], yahoo[3], 1000, "2026-03-18"))
    assert counted(load(connection, quoted)) == (0, 0, 1)
    cent = bars(("2026-03-18", 10.1, 12.3, 9.7, 11.71, 1000, "2026-03-18"))
    assert counted(load(connection, cent)) == (0, 1, 0)


@pytest.mark.parametrize(
    ("first", "second", "stored"),
    [
        ("krx", "naver", "krx"),
        ("krx", "yahoo", "krx"),
        ("naver", "yahoo", "naver"),
        ("yahoo", "naver", "naver"),
        ("yahoo", "krx", "krx"),
        ("naver", "krx", "krx"),
        ("unheard of", "yahoo", "yahoo"),
    ],
)
def test_a_better_source_wins_whenever_it_comes(connection: Connection, first: str, second: str, stored: str) -> None:
    """KRX over Naver over Yahoo."""
    close = {"krx": 12.0, "naver": 12.1, "yahoo": 12.2, "unheard of": 12.3}
    for source in (first, second):
        quoted = bars(("2026-03-19", 11.0, 13.0, 10.0, close[source], 2000, "2026-03-19"))
        load(connection, quoted, source=source)
    assert [(row[4], row[7]) for row in stored_bars(connection)] == [(close[stored], stored)]


def test_a_batch_of_several_tickers_names_those_that_changed(connection: Connection) -> None:
    ticker(connection, "NVDA")
    load(connection, pd.concat([bars(WED), bars(WED, meta_id=2)]))
    corrected = ("2026-03-18", 10.0, 12.0, 9.0, 11.5, 1000, "2026-03-18")
    counts = load(connection, pd.concat([bars(WED), bars(corrected, meta_id=2)]))
    assert counts == Counts(changed=1, unchanged=1, tickers={2})


def test_an_empty_frame_is_nothing(connection: Connection) -> None:
    assert load(connection, bars(), actions()) == Counts()
    assert load(connection, pd.DataFrame(columns=["meta_id"]), pd.DataFrame(columns=["meta_id"])) == Counts()
    assert stored_bars(connection) == []


def test_120_000_rows_go_in_more_than_one_chunk(connection: Connection) -> None:
    for name in "ABCDEFGHI":
        ticker(connection, name)
    days = np.arange(np.datetime64("1990-01-01"), np.datetime64("1990-01-01") + np.timedelta64(12_000, "D"))
    meta_id, day = np.repeat(np.arange(1, 11), 12_000), np.tile(days, 10)
    close = meta_id * 100_000.0 + np.tile(np.arange(12_000.0), 10)
    frame = pd.DataFrame(
        {
            "meta_id": meta_id,
            "trade_date": day,
            "open": close,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": close * 10,
            "basis_date": np.datetime64("2026-03-20"),
        }
    )
    assert counted(load(connection, frame)) == (120_000, 0, 0)
    rows = connection.execute(
        "select meta_id, count(*), min(trade_date)::text, max(trade_date)::text, min(close), max(close), "
        "sum(volume)::bigint from tb_bar group by 1 having meta_id in (1, 10) order by 1"
    ).fetchall()
    assert rows == [
        (1, 12_000, "1990-01-01", "2022-11-08", 100_000.0, 111_999.0, 12_719_940_000),
        (10, 12_000, "1990-01-01", "2022-11-08", 1_000_000.0, 1_011_999.0, 120_719_940_000),
    ]
    frame.loc[60_000, "close"] = 600_000.5
    assert counted(load(connection, frame)) == (0, 1, 119_999)


# When a bar is final -----------------------------------------------------------------------------------------------


def is_final(connection: Connection) -> list[bool]:
    return [bool(row[0]) for row in connection.execute("select final from tb_bar order by trade_date")]


def test_a_bar_of_a_settled_session_is_final_at_once(connection: Connection) -> None:
    load(connection, bars(WED, THU), settled_before=date(2026, 3, 19))
    assert is_final(connection) == [True, False]


@pytest.mark.parametrize(("second_read", "final"), [("2026-03-20 20:59", False), ("2026-03-20 21:00", True)])
def test_two_reads_twelve_hours_apart_make_a_bar_final(connection: Connection, second_read: str, final: bool) -> None:
    load(connection, bars(THU), as_of="2026-03-20 09:00")
    load(connection, bars(THU), as_of=second_read)
    assert is_final(connection) == [final]


def test_a_corrected_bar_must_be_read_again_to_be_final(connection: Connection) -> None:
    corrected = ("2026-03-19", 11.0, 13.0, 10.0, 12.5, 2000, "2026-03-19")
    load(connection, bars(THU), as_of="2026-03-20 09")
    load(connection, bars(THU), as_of="2026-03-21 09")
    load(connection, bars(corrected), as_of="2026-03-22 09")
    assert is_final(connection) == [False]
    load(connection, bars(corrected), as_of="2026-03-23 09")
    assert is_final(connection) == [True]


def test_a_worse_source_that_says_something_else_confirms_nothing(connection: Connection) -> None:
    load(connection, bars(THU), as_of="2026-03-20 09", source="krx")
    other = ("2026-03-19", 11.0, 13.0, 10.0, 12.5, 2000, "2026-03-19")
    load(connection, bars(other), as_of="2026-03-21 09", source="yahoo")
    assert (is_final(connection), stored_bars(connection)) == ([False], [(*THU, "krx")])
    load(connection, bars(THU), as_of="2026-03-22 09", source="yahoo")
    assert is_final(connection) == [True]


# The exact difference ----------------------------------------------------------------------------------------------


def test_a_dry_run_is_told_every_row_that_would_be_written(connection: Connection) -> None:
    load(connection, bars(WED))
    told: list[Change] = []
    corrected = ("2026-03-18", 10.0, 12.0, 9.0, 11.5, 1000, "2026-03-18")
    with connection.transaction(force_rollback=True):
        load(connection, bars(corrected, THU), on_change=told.append)
    assert told == [
        Change(
            table="tb_bar",
            key="MSFT",
            day=date(2026, 3, 18),
            before={"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 1000},
            after={"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.5, "volume": 1000},
        ),
        Change(
            table="tb_bar",
            key="MSFT",
            day=date(2026, 3, 19),
            before=None,
            after={"open": 11.0, "high": 13.0, "low": 10.0, "close": 12.0, "volume": 2000},
        ),
    ]
    assert [str(change) for change in told] == [
        "~ tb_bar MSFT 2026-03-18 close 11.0 -> 11.5",
        "+ tb_bar MSFT 2026-03-19 open=11.0 high=13.0 low=10.0 close=12.0 volume=2000",
    ]
    assert stored_bars(connection) == [(*WED, "yahoo")]


def test_a_dry_run_that_changes_nothing_is_told_nothing(connection: Connection) -> None:
    load(connection, bars(WED, THU))
    told: list[Change] = []
    load(connection, bars(WED, THU), on_change=told.append)
    assert told == []
