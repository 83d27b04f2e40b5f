"""New rows by COPY, equal rows not at all, the rest by the merge: whichever way, the tables are the same to the bit."""

from datetime import date

import numpy as np
import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.insight_invest.errors import StoreError
from include.insight_invest.store import bars as loading
from include.insight_invest.store.arrays import Array
from include.insight_invest.store.batch import Batch, Known
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Counts, LoadContext
from tests.store.rows import NAN, Action, Bar, actions, bars, load, number, stored_bars, ticker

WED = ("2026-03-18", 10.0, 12.0, 9.0, 11.0, 1000, "2026-03-18")
THU = ("2026-03-19", 11.0, 13.0, 10.0, 12.0, 2000, "2026-03-19")
FRI = ("2026-03-20", 12.0, 14.0, 11.0, 13.0, 3000, "2026-03-20")
TABLES = ("tb_bar", "tb_bar_revision", "tb_action", "tb_adjustment")
MARKET = 1_100  # tickers: enough for the way of whole markets


@pytest.fixture(autouse=True)
def tickers(connection: Connection) -> None:
    ticker(connection, "MSFT")
    ticker(connection, "NVDA")


def is_staged(connection: Connection) -> bool:
    """Whether this session has merged anything yet."""
    return connection.execute("select to_regclass('pg_temp.stage_bar')").fetchone() != (None,)


def market(day: str, close: float, *, first: int = 1) -> pd.DataFrame:
    """One session of ``MARKET`` tickers."""
    one = bars((day, close, close + 1, close - 1, close, 100, day))
    return pd.concat([one] * MARKET).assign(meta_id=np.arange(first, first + MARKET))


def add_tickers(connection: Connection, count: int) -> None:
    """As many as make ``count`` with the two that every test has."""
    connection.execute(
        "insert into tb_meta (ticker, security_type, iso_code) "
        "select 'T' || n, 'STOCK', 'US' from generate_series(3, %s) as n",
        [count],
    )


def test_a_first_load_and_the_same_again_merge_nothing(connection: Connection) -> None:
    assert load(connection, bars(WED, THU)) == Counts(new=2, tickers={1})
    assert load(connection, bars(WED, THU)) == Counts(unchanged=2)
    assert stored_bars(connection) == [(*WED, "yahoo"), (*THU, "yahoo")]
    assert not is_staged(connection)


def test_equal_bars_leave_less_than_100_kb_of_wal_per_10_000(connection: Connection) -> None:
    add_tickers(connection, MARKET)
    load(connection, market("2026-03-18", 10.0))
    began = connection.execute("select pg_current_wal_insert_lsn()::text").fetchone()
    assert began is not None
    with connection.transaction():
        counts = loading.load_bars(
            connection,
            market("2026-03-18", 10.0),
            LoadContext(1, pd.Timestamp("2026-03-20 09:00", tz="UTC").to_pydatetime()),
            source="yahoo",
            currency="USD",
            sources=["yahoo"],
            settled_before=date(1900, 1, 1),
        )
    wal = connection.execute("select (pg_current_wal_insert_lsn() - %s::pg_lsn)::bigint", began).fetchone()
    assert counts == Counts(unchanged=MARKET)
    assert number(wal) < 100_000 * MARKET / 10_000


@pytest.mark.parametrize(
    "odd",
    [
        ("2026-03-19", NAN, 13.0, 10.0, 12.0, 2000, "2026-03-19"),  # a value is missing
        ("2026-03-19", 11.0, 13.0, 10.0, 12.0, NAN, "2026-03-19"),
        ("2026-03-19", 11.0, 11.5, 10.0, 12.0, 2000, "2026-03-19"),  # the close is over the high
        ("2026-03-17", 11.0, 13.0, 10.0, 12.0, 2000, "2026-03-19"),  # before what is stored
        ("2026-03-18", 10.0, 12.0, 9.0, 11.5, 1000, "2026-03-18"),  # another close
    ],
)
def test_what_is_neither_new_nor_equal_is_merged(connection: Connection, odd: Bar) -> None:
    load(connection, bars(WED))
    assert not is_staged(connection)
    load(connection, bars(odd))
    assert is_staged(connection)


def test_a_second_read_that_is_equal_makes_a_bar_final_without_a_merge(connection: Connection) -> None:
    load(connection, bars(WED, THU), as_of="2026-03-20 09")
    load(connection, bars(WED), as_of="2026-03-20 20")
    assert connection.execute("select bool_or(final) from tb_bar").fetchone() == (False,)
    load(connection, bars(WED), as_of="2026-03-20 21")
    assert connection.execute("select final from tb_bar order by trade_date").fetchall() == [(True,), (False,)]
    assert not is_staged(connection)


def test_an_equal_quote_in_other_shares_is_merged(connection: Connection) -> None:
    load(connection, bars(WED))
    load(connection, bars((*WED[:6], "2026-03-20")), actions(("2026-03-19", "split", 2, "2026-03-20")))
    assert is_staged(connection)
    assert connection.execute("select close from tb_bar").fetchall() == [(11.0,)]
    assert connection.execute("select close, basis_date::text from tb_bar_revision").fetchall() == [
        (11.0, "2026-03-18")
    ]


def test_a_whole_market_takes_the_same_ways(connection: Connection) -> None:
    add_tickers(connection, MARKET)
    assert load(connection, market("2026-03-18", 10.0)).new == MARKET
    assert load(connection, pd.concat([market("2026-03-18", 10.0), market("2026-03-19", 11.0)])) == Counts(
        new=MARKET, unchanged=MARKET, tickers=set(range(1, MARKET + 1))
    )
    assert not is_staged(connection)
    changed = market("2026-03-18", 10.0)
    changed.loc[changed["meta_id"] == 7, "close"] = 10.5
    assert load(connection, changed) == Counts(changed=1, unchanged=MARKET - 1, tickers={7})


def test_a_ticker_that_tb_meta_does_not_have_is_refused(connection: Connection) -> None:
    with pytest.raises(StoreError, match="tb_meta has no ticker of meta_id 3: was it deleted"):
        load(connection, bars(WED, meta_id=3))
    add_tickers(connection, MARKET - 1)
    with pytest.raises(StoreError, match=f"tb_meta has no ticker of meta_id {MARKET}: was it"):
        load(connection, market("2026-03-18", 10.0))
    assert stored_bars(connection) == []


def test_a_ticker_with_bars_cannot_be_deleted(connection: Connection) -> None:
    load(connection, bars(WED))
    connection.execute("delete from tb_meta where meta_id = 2")
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match=r"tb_bar has bars of MSFT \(meta_id 1\)"):
        connection.execute("delete from tb_meta where meta_id = 1")


def test_the_rest_of_a_transaction_is_planned_as_ever(connection: Connection) -> None:
    """A second market in one transaction, as in a dry run, took ten times as long without hash joins."""
    with connection.transaction():
        load(connection, bars(WED))
        for name in ("jit", "enable_hashjoin", "enable_mergejoin"):
            assert connection.execute(f"show {name}").fetchone() == ("on",)


def test_a_market_of_which_some_are_silent_for_weeks(connection: Connection) -> None:
    add_tickers(connection, 2 * MARKET)
    load(connection, market("2026-01-05", 10.0, first=MARKET + 1))  # the second half's newest session is old
    load(connection, market("2026-03-18", 10.0))
    rows = connection.execute("select last_session::text, count(*) from insight_watermark group by 1 order by 1")
    assert rows.fetchall() == [("2026-01-05", MARKET), ("2026-03-18", MARKET)]
    assert load(connection, market("2026-01-05", 11.0, first=MARKET + 1)).changed == MARKET


PRICES = st.sampled_from([9.0, 10.0, 10.005, 10.01, 11.0, 100.0, NAN])
BARS = st.builds(
    lambda day, prices, close, volume, basis: (f"2026-03-{day:02d}", *prices, close, volume, f"2026-03-{basis:02d}"),
    st.integers(2, 8),
    st.tuples(PRICES, PRICES, PRICES),
    st.sampled_from([9.0, 10.0, 10.01, 20.0]),
    st.sampled_from([0.0, 100.0, 100.4, 101.0, NAN]),
    st.integers(8, 10),
)
LOADS = st.lists(
    st.tuples(
        st.integers(1, 2),  # the ticker
        st.lists(BARS, min_size=1, max_size=5, unique_by=lambda row: row[0]),
        st.lists(
            st.sampled_from(
                [
                    ("2026-03-05", "split", 2.0, "2026-03-09"),
                    ("2026-03-09", "split", 3.0, "2026-03-09"),
                    ("2026-03-06", "dividend", 0.5, "2026-03-09"),
                ]
            ),
            max_size=2,
            unique_by=lambda row: row[:2],
        ),
        st.sampled_from(["yahoo", "krx", "naver"]),
        st.booleans(),  # whether volume is adjusted
    ),
    min_size=1,
    max_size=5,
)


def tables(connection: Connection, loads: list[tuple[int, list[Bar], list[Action], str, bool]]) -> list[object]:
    """What the loads, one a day, leave in the tables."""
    connection.execute("truncate tb_bar, tb_bar_revision, tb_action, tb_job_run restart identity")
    connection.execute("select insight_adjust('{1, 2}')")
    for number_of, (meta_id, quoted, events, source, adjusted) in enumerate(loads):
        load(
            connection,
            bars(*quoted, meta_id=meta_id),
            actions(*events, meta_id=meta_id) if events else None,
            as_of=f"2026-03-{10 + number_of} 09",
            source=source,
            volume_is_adjusted=adjusted,
        )
    queries = [f"select * from {name} order by 1, 2, 3" for name in TABLES]
    return [connection.execute(query.encode()).fetchall() for query in queries]


def nothing_new(rows: Batch, *, volume_is_adjusted: bool) -> Array:
    return np.zeros(len(rows), bool)


def nothing_known(connection: Connection, rows: Batch, parameters: object) -> Known:
    return Known(np.zeros(len(rows), bool), np.zeros(len(rows), bool))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(loads=LOADS)
def test_every_way_leads_to_the_same_tables(
    connection: Connection, loads: list[tuple[int, list[Bar], list[Action], str, bool]]
) -> None:
    shortest = tables(connection, loads)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "is_new", nothing_new)
        patch.setattr(loading, "known_of", nothing_known)
        assert shortest == tables(connection, loads)


def test_what_tb_price_multiplies_by_is_right_after_every_load(connection: Connection) -> None:
    """A dividend's eve that comes after it, into a hole: its close is in the factor of all before."""
    load(connection, bars(WED), actions(("2026-03-20", "dividend", 1.0, "2026-03-20")))
    assert connection.execute("select adj_close from tb_price").fetchall() == [(pytest.approx(11 * (1 - 1 / 11)),)]
    load(connection, bars(FRI))
    load(connection, bars(THU))
    prices = connection.execute("select adj_close from tb_price order by trade_date").fetchall()
    assert prices == [(pytest.approx(11 * (1 - 1 / 12)),), (pytest.approx(12 * (1 - 1 / 12)),), (13.0,)]
    assert connection.execute("select * from insight_adjustment except select * from tb_adjustment").fetchall() == []
