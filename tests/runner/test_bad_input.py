"""One damaged answer among good ones: its ticker fails by name, the others have their rows, the ledger says both."""

import pytest

from tests.fixtures.market import BOLT, Market
from tests.folders import write_chart, write_fred, write_krx, write_naver
from tests.sources.damaging import replaced, send

# yfinance and pandas warn of what they are about to fail at
pytestmark = pytest.mark.filterwarnings("ignore")
DAYS = ["2026-01-05", "2026-01-06", "2026-01-07"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"USD"', '"U\\u0000D"', "Yahoo names no currency for ACME"),
        ('"USD"', '"\\ud800"', "Yahoo names no currency for ACME"),
        ('"close": [', '"close": [[1.0, 2.0], ', "Yahoo's answer for ACME is not a chart"),
        ('"numerator"', '"n"', "Yahoo's answer for ACME is not a chart"),
    ],
)
def test_a_chart(market: Market, old: str, new: str, reason: str) -> None:
    send(market.replay, "/chart/ACME", replaced(old, new))
    report = market.run(settings=market.settings(attempts=1, failure_budget=0.5))
    assert report.exit_code == 0
    (row,) = market.ledger()
    assert row["tickers"] == {"failed": {"ACME": reason}, "updated": {"BOLT": None}}
    assert [bar[:2] for bar in market.bars()] == [("BOLT", day) for day in DAYS]
    market.audit()


@pytest.mark.parametrize(
    ("close", "reason"),
    [("5e-324", "a price that no market has"), ("1e308", "a price that no market has"), ("-1", None)],
)
def test_a_close_that_cannot_be_reckoned_with_is_held(market: Market, close: str, reason: str | None) -> None:
    market.run()
    send(market.replay, "/chart/BOLT", replaced("53.5", close))
    report = market.run(as_of="2026-01-09T12:00+00:00", settings=market.settings(failure_budget=1.0))
    assert report.error is None
    held = market.rows("select ticker, trade_date::text, reason from tb_quarantine where status = 'held'")
    assert held == [("BOLT", "2026-01-08", reason or "a price that is not positive")]
    assert [bar[1] for bar in market.bars() if bar[0] == "BOLT"] == DAYS


def test_a_dividend_of_a_row_of_a_saturday_is_held(market: Market) -> None:
    """The row is no session's and is left out, so that no price says when its dividend was paid."""
    saturday = {"2026-01-03": (50.0, 50.0, 50.0, 50.0, 1)}
    write_chart(market.folder, "BOLT", saturday | BOLT, dividends={"2026-01-03": 0.5})
    market.replay.load(market.folder)
    assert market.run().rows.new == 6
    held = market.rows("select ticker, trade_date::text, reason from tb_quarantine where status = 'held'")
    assert held == [("BOLT", "2026-01-03", "an ex-date at the weekend")]
    assert market.rows("select count(*) from tb_action join tb_meta using (meta_id) where ticker = 'BOLT'") == [(0,)]
    market.audit()


@pytest.mark.parametrize("number", ["0x10", "1_050", "2026-01-08", "1050 won"])
def test_a_history_of_naver(market: Market, number: str) -> None:
    write_naver(market.folder, "000020", {"2026-01-08": (1000, 1100, 900, 1050, 500)})
    market.follow("005930", "000020", iso_code="KR", market="KOSPI")
    send(market.replay, "symbol=005930", replaced("1150", number))
    settings = market.settings(attempts=1, failure_budget=1.0)
    report = market.run("kr-price", settings=settings, full_refresh=True)
    assert report.error is None
    assert {bar[0] for bar in market.bars()} == {"000020"}
    (row,) = market.ledger()
    assert row["tickers"]["failed"] == {"005930": "Naver's answer for 005930 is not a chart"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Samsung", "S" * 2_000),
        ("KOSPI", "K" * 30),
        ("KOSPI", "12"),
        ("Samsung", "Sam\x02sung"),
        (",0,0.0,", ",inf,0.0,"),
    ],
)
def test_a_listing_of_krx(market: Market, old: str, new: str) -> None:
    send(market.replay, "krx/2026-01-08.csv", replaced(old, new))
    report = market.run("kr-price")
    assert report.error is None
    stored = market.rows(
        "select ticker, close from tb_bar join tb_meta using (meta_id) where iso_code = 'KR' order by 1"
    )
    assert ("0126Z0", 12.0) in stored


@pytest.mark.parametrize(
    ("old", "new"),
    [('encoding="utf-8"', 'encoding="utf-9"'), ('value="3.3"', 'value="inf"'), ('value="3.3"', 'value="three"')],
)
def test_a_series_of_fred(market: Market, old: str, new: str) -> None:
    write_fred(market.folder, "GOOD", [("2025-10-01", "2025-11-05", "1.0")])
    market.rows("insert into tb_macro (fred) values ('GOOD')")
    send(market.replay, "observations?series_id=RATE", replaced(old, new))
    report = market.run("macro", settings=market.settings(attempts=1, failure_budget=0.5))
    assert report.error is None
    (row,) = market.ledger()
    assert list(row["tickers"]["updated"]) == ["GOOD"]
    assert row["tickers"]["failed"]["RATE"].startswith("FRED's answer for RATE ")
    assert market.rows("select fred, value from tb_macro_vintage join tb_macro using (macro_id)") == [("GOOD", 1.0)]


def test_a_listing_that_names_a_share_twice_defines_it_once(market: Market) -> None:
    share = ("005930", "Samsung", "KOSPI", 1050, 1200, 1000, 1150, 600)
    write_krx(market.folder, "2026-01-08", [share, share])
    assert market.run("kr-price").error is None
    assert market.rows("select count(*) from tb_meta where ticker = '005930'") == [(1,)]
