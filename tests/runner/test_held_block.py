"""A run says which histories it holds back as a block, and which moves it has stored without an explanation."""

from datetime import date

from include.insight_invest import sessions
from tests.fixtures.market import Market
from tests.folders import write_chart

DAYS = [str(day) for day in sessions.sessions("XNYS", date(2025, 11, 3), date(2026, 1, 7))]


def history(market: Market, *closes: float) -> None:
    """BOLT's newest sessions up to 7 January, flat bars with volumes of their own."""
    days = DAYS[-len(closes) :]
    write_chart(
        market.folder,
        "BOLT",
        {
            day: (close, close, close, close, 100 + place)
            for place, (day, close) in enumerate(zip(days, closes, strict=True))
        },
    )


def test_a_block_of_held_rows_is_told(market: Market) -> None:
    history(market, *[50.0] * 11, *[5000.0] * 12)
    report = market.run()
    assert "BOLT: 11 rows of its history are held: see `quarantine list`" in report.notes
    assert market.rows("select count(*) from tb_bar join tb_meta using (meta_id) where ticker = 'BOLT'") == [(12,)]


def test_a_few_held_rows_are_no_block(market: Market) -> None:
    history(market, *[50.0] * 11, *[5000.0] * 2, *[50.0] * 12)
    report = market.run()
    assert (report.rows.held_back, [note for note in report.notes if "BOLT" in note]) == (2, [])


def test_a_wild_move_that_is_stored_is_told(market: Market) -> None:
    history(market, *[50.0] * 11, *[250.0] * 12)
    report = market.run()
    day = DAYS[-12]
    assert f"BOLT moved x5 on {day}, and stayed: it is stored, no split explains it" in report.notes
