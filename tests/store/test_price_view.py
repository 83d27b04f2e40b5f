"""tb_price: prices in today's shares, with dividends reinvested, computed from bars and actions."""

import pytest

from include.insight_invest.store.database import Connection
from tests.store.rows import actions, bars, load, prices, ticker


@pytest.fixture(autouse=True)
def ko(connection: Connection) -> None:
    ticker(connection, "KO")


def bar(day: str, close: float, basis: str | None = None) -> tuple[str, float, float, float, float, float, str]:
    return (day, close, close, close, close, 1000, basis or day)


def approx(rows: list[tuple[str, float, float, float | None]]) -> list[tuple[object, ...]]:
    return [(day, *(None if value is None else pytest.approx(value, rel=1e-12) for value in row)) for day, *row in rows]


def test_without_actions_the_price_is_the_quote(connection: Connection) -> None:
    load(connection, bars(bar("2026-03-18", 100), bar("2026-03-19", 110)))
    assert prices(connection) == approx([("2026-03-18", 100, 100, None), ("2026-03-19", 110, 110, 0.1)])


def test_a_dividend_lowers_what_came_before_it_by_its_share_of_the_eve(connection: Connection) -> None:
    """Half a dollar off 100 is 0.5 %; the return across the ex-date is that of who was paid."""
    load(
        connection,
        bars(bar("2026-03-17", 98), bar("2026-03-18", 100), bar("2026-03-19", 99.5)),
        actions(("2026-03-19", "dividend", 0.5, "2026-03-19")),
    )
    assert prices(connection) == approx(
        [
            ("2026-03-17", 98, 98 * 0.995, None),
            ("2026-03-18", 100, 99.5, 100 / 98 - 1),
            ("2026-03-19", 99.5, 99.5, 0.0),
        ]
    )


@pytest.mark.parametrize("amount", [100.0, 250.0])
def test_an_amount_that_eats_the_whole_close_is_not_divided_by(connection: Connection, amount: float) -> None:
    load(
        connection,
        bars(bar("2026-03-18", 100), bar("2026-03-19", 99)),
        actions(("2026-03-19", "dividend", amount, "2026-03-19")),
    )
    assert prices(connection) == approx([("2026-03-18", 100, 100, None), ("2026-03-19", 99, 99, -0.01)])


def test_dividends_multiply(connection: Connection) -> None:
    load(
        connection,
        bars(bar("2026-01-05", 100), bar("2026-02-05", 100), bar("2026-03-05", 100)),
        actions(("2026-02-05", "dividend", 1, "2026-02-05"), ("2026-03-05", "dividend", 2, "2026-03-05")),
    )
    assert prices(connection) == approx(
        [
            ("2026-01-05", 100, 100 * 0.99 * 0.98, None),
            ("2026-02-05", 100, 98, 1 / 0.99 - 1),
            ("2026-03-05", 100, 100, 1 / 0.98 - 1),
        ]
    )


def test_a_dividend_and_a_capital_gain_of_one_day_both_count(connection: Connection) -> None:
    load(
        connection,
        bars(bar("2026-03-18", 100), bar("2026-03-19", 97)),
        actions(("2026-03-19", "dividend", 1, "2026-03-19"), ("2026-03-19", "capital_gain", 2, "2026-03-19")),
    )
    assert [row[2] for row in prices(connection)] == [pytest.approx(100 * 0.99 * 0.98), 97]


def test_an_ex_date_without_a_bar_counts_from_the_next_one(connection: Connection) -> None:
    """A halt: the eve is the newest close before the ex-date, however long ago."""
    load(
        connection,
        bars(bar("2026-03-10", 100), bar("2026-03-19", 99)),
        actions(("2026-03-17", "dividend", 1, "2026-03-17")),
    )
    assert prices(connection) == approx([("2026-03-10", 100, 99, None), ("2026-03-19", 99, 99, 0.0)])


def test_a_dividend_before_the_first_bar_or_after_the_last_does_no_harm(connection: Connection) -> None:
    load(
        connection,
        bars(bar("2026-03-18", 100), bar("2026-03-19", 100)),
        actions(("2026-03-18", "dividend", 1, "2026-03-18"), ("2026-03-20", "dividend", 1, "2026-03-20")),
    )
    assert prices(connection) == approx([("2026-03-18", 100, 99, None), ("2026-03-19", 100, 99, 0.0)])


def test_a_split_divides_prices_and_multiplies_volume_before_it(connection: Connection) -> None:
    load(
        connection,
        bars(bar("2021-07-19", 800), bar("2021-07-20", 202)),
        actions(("2021-07-20", "split", 4, "2021-07-20")),
    )
    assert prices(connection) == approx([("2021-07-19", 200, 200, None), ("2021-07-20", 202, 202, 0.01)])
    rows = connection.execute("select open, high, low, volume, currency from tb_price order by trade_date").fetchall()
    assert rows == [(200, 200, 200, 4000, "USD"), (202, 202, 202, 1000, "USD")]


def test_a_quote_of_after_the_split_is_already_divided(connection: Connection) -> None:
    """A split on the basis date is in the quote; bars of both bases stand side by side."""
    load(
        connection,
        bars(bar("2021-07-16", 190, "2021-07-20"), bar("2021-07-19", 800), bar("2021-07-20", 202)),
        actions(("2021-07-20", "split", 4, "2021-07-20")),
    )
    assert prices(connection) == approx(
        [("2021-07-16", 190, 190, None), ("2021-07-19", 200, 200, 200 / 190 - 1), ("2021-07-20", 202, 202, 0.01)]
    )


@pytest.mark.parametrize(
    ("eve", "eve_basis", "amount", "amount_basis"),
    [
        (800, "2021-06-09", 1.6, "2021-06-10"),
        (800, "2021-06-09", 0.4, "2021-07-20"),
        (200, "2021-07-20", 1.6, "2021-06-10"),
        (200, "2021-07-20", 0.4, "2021-07-20"),
    ],
)
def test_a_dividend_and_its_eve_may_be_in_different_shares(
    connection: Connection, eve: float, eve_basis: str, amount: float, amount_basis: str
) -> None:
    """1.60 of 800 before a 4:1 split, or 0.40 of 200 after it."""
    load(
        connection,
        bars(bar("2021-06-09", eve, eve_basis), bar("2021-06-10", 798.4)),
        actions(("2021-06-10", "dividend", amount, amount_basis), ("2021-07-20", "split", 4, "2021-07-20")),
    )
    assert prices(connection) == approx([("2021-06-09", 200, 199.6, None), ("2021-06-10", 199.6, 199.6, 0.0)])


def test_a_split_and_a_dividend_of_one_day(connection: Connection) -> None:
    """The dividend is paid on the new shares: 2 on an eve of 400 / 4 = 100."""
    load(
        connection,
        bars(bar("2026-03-18", 400), bar("2026-03-19", 98)),
        actions(("2026-03-19", "split", 4, "2026-03-19"), ("2026-03-19", "dividend", 2, "2026-03-19")),
    )
    assert prices(connection) == approx([("2026-03-18", 100, 98, None), ("2026-03-19", 98, 98, 0.0)])


def test_an_action_of_one_ticker_is_none_of_another(connection: Connection) -> None:
    ticker(connection, "PEP")
    load(connection, bars(bar("2026-03-18", 100), bar("2026-03-19", 100)))
    load(connection, events=actions(("2026-03-19", "split", 2, "2026-03-19"), meta_id=2))
    load(connection, events=actions(("2026-03-19", "dividend", 2, "2026-03-19"), meta_id=2))
    assert prices(connection) == approx([("2026-03-18", 100, 100, None), ("2026-03-19", 100, 100, 0.0)])


def test_a_market_day_and_a_ticker_agree(connection: Connection) -> None:
    ticker(connection, "PEP")
    load(
        connection,
        bars(bar("2026-03-17", 98), bar("2026-03-18", 100), bar("2026-03-19", 49.5)),
        actions(("2026-03-18", "dividend", 0.5, "2026-03-18"), ("2026-03-19", "split", 2, "2026-03-19")),
    )
    load(
        connection,
        bars(bar("2026-03-18", 10), bar("2026-03-19", 11), meta_id=2),
        actions(("2026-03-19", "dividend", 0.1, "2026-03-19"), meta_id=2),
    )
    by_day = [
        row
        for day in ("2026-03-17", "2026-03-18", "2026-03-19")
        for row in connection.execute("select * from tb_price where trade_date = %s", [day])
    ]
    by_ticker = [
        row for meta_id in (1, 2) for row in connection.execute("select * from tb_price where meta_id = %s", [meta_id])
    ]
    everything = connection.execute("select * from tb_price").fetchall()
    assert len(everything) == 5
    assert sorted(by_day) == sorted(by_ticker) == sorted(everything)


def test_the_columns_that_readers_of_v2_know_come_first(connection: Connection) -> None:
    cursor = connection.execute("select * from tb_price")
    names = [column.name for column in cursor.description or ()]
    assert names[:5] == ["meta_id", "trade_date", "close", "adj_close", "gross_return"]
