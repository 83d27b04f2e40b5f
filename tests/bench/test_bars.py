"""Generated bars are the same wherever and in whatever part they are made, and are believable."""

import numpy as np

from bench.bars import COLUMNS, Shape, actions, copy_parts, ex_days, frame, number, splits_of, symbol, whole_frame
from include.insight_invest.checks.bars import check_bars

WEEK = Shape(tickers=5, sessions=10, end="2025-11-28")


def test_a_part_of_the_market_has_the_bars_of_the_whole() -> None:
    whole = frame(WEEK)
    part = frame(Shape(tickers=2, sessions=3, end="2025-11-28", first_id=3))
    wanted = whole[whole["meta_id"].isin([3, 4]) & (whole["trade_date"] >= "2025-11-26")]
    assert part.to_dict("records") == wanted.to_dict("records")


def test_the_last_session_is_the_end_and_none_is_on_a_weekend() -> None:
    assert [str(day) for day in Shape(1, 3, "2025-12-01").days] == ["2025-11-27", "2025-11-28", "2025-12-01"]


def test_batches_are_whole_tickers() -> None:
    assert [(part.first_id, part.tickers, part.rows) for part in WEEK.batches(2)] == [
        (1, 2, 20),
        (3, 2, 20),
        (5, 1, 10),
    ]


def test_no_bar_is_held_back() -> None:
    bars = frame(Shape(tickers=20, sessions=300, end="2025-11-28"))
    checked = check_bars(bars.assign(ticker=bars["meta_id"].map(symbol)))
    assert (len(checked.good), checked.held) == (6000, [])


def test_a_file_for_psql_is_a_header_the_rows_and_a_trailer() -> None:
    """Each row: 2 bytes count, 4 of length for each of 13 fields, and 77 of the fields themselves."""
    content = b"".join(copy_parts(WEEK))
    assert content[:11] == b"PGCOPY\n\xff\r\n\x00"
    assert len(content) == 19 + WEEK.rows * (2 + 13 * 4 + 77) + 2


def test_everybody_gets_every_column() -> None:
    assert tuple(whole_frame(WEEK)) == COLUMNS


def test_dividends_and_splits_do_not_move_with_the_window() -> None:
    longer, later = Shape(1, 2520, "2025-11-28").days, Shape(1, 2520, "2025-12-01").days
    both = np.intersect1d(longer[3:], later[:-3])
    for meta_id in range(1, 200):
        assert set(ex_days(meta_id, longer)) & set(both) == set(ex_days(meta_id, later)) & set(both)
        assert splits_of(meta_id, longer).tolist() == splits_of(meta_id, later).tolist()


def test_a_year_has_four_dividends() -> None:
    found = actions(Shape(tickers=9, sessions=261, end="2025-11-28"))
    assert found.groupby("meta_id").size().between(3, 4).all()
    assert set(found["kind"]) == {"dividend"}


def test_a_symbol_is_its_ticker() -> None:
    assert [symbol(1), symbol(10_000), number("AAAB"), number(symbol(10_000))] == ["AAAB", "AOUQ", 1, 10_000]
