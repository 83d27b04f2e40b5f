"""Ghost rows: of a closed day Yahoo may repeat everybody's last close, flat and without volume. They are no bars."""

import pytest

from tests.fixtures.market import BOLT, Market
from tests.folders import write_chart, write_krx, write_naver
from tests.runner.test_completeness import FRIDAY, MONDAY, TUESDAY, WEEK, gaps, overrides, quote, without

CLOSED = "2026-01-09"
GHOST = {CLOSED: (53.5, 53.5, 53.5, 53.5, 0)}
BEFORE = without(WEEK, CLOSED, "2026-01-12", "2026-01-13")


@pytest.fixture
def trio(market: Market) -> Market:
    """BOLT, CORE and DELT, quoted alike, with every session up to Thursday stored."""
    market.rows("delete from tb_meta where ticker = 'ACME'")
    market.follow("CORE", "DELT")
    quote(market, BEFORE)
    market.run(as_of=FRIDAY)
    return market


def of(market: Market, day: str) -> list[str]:
    """The tickers that have a bar of ``day``."""
    return [bar[0] for bar in market.bars() if bar[1] == day]


def test_a_market_of_ghosts_was_closed(trio: Market) -> None:
    quote(trio, BEFORE | GHOST)
    report = trio.run(as_of=MONDAY)
    assert (report.exit_code, report.rows.new, of(trio, CLOSED)) == (0, 0, [])
    assert "XNYS was perhaps closed on 2026-01-09: yahoo answered for 3 tickers without a bar" in report.notes[-1]
    assert overrides(trio) == [(CLOSED, "suspected")]
    assert gaps(trio) == []
    trio.audit()


def test_they_stay_out_when_the_market_goes_on(trio: Market) -> None:
    quote(trio, BEFORE | GHOST)
    trio.run(as_of=MONDAY)
    quote(trio, without(WEEK, "2026-01-13") | GHOST)
    report = trio.run(as_of=TUESDAY)
    assert (report.rows.new, of(trio, CLOSED)) == (3, [])
    assert overrides(trio) == [(CLOSED, "suspected")]


def test_also_on_a_first_load(trio: Market) -> None:
    trio.follow("FRSH")
    for symbol in ("BOLT", "CORE", "DELT", "FRSH"):
        write_chart(trio.folder, symbol, without(WEEK, "2026-01-12", "2026-01-13") | GHOST)
    trio.run(as_of=MONDAY)
    assert (len(trio.bars()), of(trio, CLOSED)) == (16, [])


def test_a_trade_of_one_makes_them_bars(trio: Market) -> None:
    """Two shares that nobody wanted on a day on which the third was traded."""
    quote(trio, BEFORE | GHOST)
    write_chart(trio.folder, "DELT", without(WEEK, "2026-01-12", "2026-01-13"))
    trio.run(as_of=MONDAY)
    assert of(trio, CLOSED) == ["BOLT", "CORE", "DELT"]
    assert overrides(trio) == []


def test_a_trade_in_a_later_batch_makes_them_bars(trio: Market) -> None:
    """Yahoo is asked for 25 tickers at a time: the first batch has ghosts only, the second has a trade."""
    quiet = [f"Q{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXY"]
    for symbol in quiet:
        write_chart(trio.folder, symbol, BEFORE | GHOST)
    write_chart(trio.folder, "ZEST", without(WEEK, "2026-01-12", "2026-01-13"))
    trio.rows("delete from tb_bar")
    trio.rows("delete from tb_meta")
    trio.follow(*quiet, "ZEST")
    report = trio.run(as_of=MONDAY)
    assert (report.rows.new, of(trio, CLOSED)) == (130, [*quiet, "ZEST"])
    assert [note for note in report.notes if "no bar of" in note] == []


def test_two_tickers_are_no_market(trio: Market) -> None:
    trio.rows("update tb_meta set delisted_on = '2026-01-01' where ticker = 'DELT'")
    trio.rows("delete from tb_bar where meta_id = (select meta_id from tb_meta where ticker = 'DELT')")
    quote(trio, BEFORE | GHOST)
    trio.run(as_of=MONDAY)
    assert of(trio, CLOSED) == ["BOLT", "CORE"]
    assert overrides(trio) == []


def test_funds_have_prices_without_volume(market: Market) -> None:
    """Three funds: each price is another, none has a volume. On Friday they are silent: that was no session."""
    funds = {day: (close, close, close, close, 0) for day, (_, _, _, close, _) in WEEK.items()}
    market.rows("delete from tb_meta where ticker = 'ACME'")
    market.follow("CORE", "DELT")
    quote(market, without(funds, "2026-01-09", "2026-01-12", "2026-01-13"))
    market.run(as_of=FRIDAY)
    assert of(market, "2026-01-08") == ["BOLT", "CORE", "DELT"]
    market.run(as_of=MONDAY)
    assert overrides(market) == [(CLOSED, "suspected")]


def test_an_operator_who_says_that_the_market_was_open_gets_them(trio: Market) -> None:
    quote(trio, BEFORE | GHOST)
    trio.run(as_of=MONDAY)
    trio.rows("update tb_session_override set state = 'open'")
    trio.run(as_of=MONDAY)
    assert of(trio, CLOSED) == ["BOLT", "CORE", "DELT"]


def test_a_held_row_that_was_rejected_is_no_bar(trio: Market) -> None:
    quote(trio, BEFORE)
    write_chart(trio.folder, "BOLT", BEFORE | {CLOSED: (53.5, 0.0, 53.0, 54.5, 500)})
    trio.run(as_of=MONDAY)
    assert (overrides(trio), of(trio, CLOSED)) == ([], [])
    trio.rows("update tb_quarantine set status = 'rejected'")
    trio.run(as_of=MONDAY)
    assert overrides(trio) == [(CLOSED, "suspected")]


class TestKorea:
    """KRX's listing of Thursday is stale, Yahoo has flat rows without volume."""

    @pytest.fixture(autouse=True)
    def _wednesday(self, market: Market) -> None:
        market.run("kr-price", as_of="2026-01-07T12:00+00:00")

    def test_a_market_of_ghosts_was_closed(self, market: Market) -> None:
        (market.folder / "krx_listing" / "krx-2026-01-08.csv").unlink()
        for code, close in (("005930", 1050), ("0126Z0", 11), ("247540", 2050)):
            flat = (close, close, close, close)
            write_naver(market.folder, code, {"2026-01-07": (*flat, 7), "2026-01-08": (*flat, 0)})
        report = market.run("kr-price", as_of="2026-01-08T21:00+00:00")
        assert (report.exit_code, of(market, "2026-01-08")) == (0, [])
        assert overrides(market) == [("2026-01-08", "suspected")]
        market.audit("kr-price")

    def test_a_halted_share_keeps_its_bar(self, market: Market) -> None:
        write_krx(market.folder, "2026-01-08", [("247540", "Halted", "KOSDAQ", 0, 0, 0, 2050, 0)])
        market.rows("delete from tb_bar where meta_id <> (select meta_id from tb_meta where ticker = '247540')")
        market.rows("update tb_meta set delisted_on = '2026-01-01' where iso_code = 'KR' and ticker <> '247540'")
        market.run("kr-price")
        assert of(market, "2026-01-08") == ["247540"]


class TestGate:
    """Thirteen tickers, Friday perhaps closed: Monday is held against Thursday, the session before it."""

    ALL = ("BOLT", "CORE", "DELT", *(f"T{letter}" for letter in "ABCDEFGHIJ"))

    @pytest.fixture(autouse=True)
    def _closed(self, trio: Market) -> None:
        trio.follow(*self.ALL[3:])
        for symbol in self.ALL:
            write_chart(trio.folder, symbol, BEFORE)
        trio.run(as_of=FRIDAY)
        trio.run(as_of=MONDAY)
        assert overrides(trio) == [(CLOSED, "suspected")]

    def test_too_few_tickers_are_seen(self, trio: Market) -> None:
        for symbol in self.ALL[:2]:
            write_chart(trio.folder, symbol, without(WEEK, CLOSED, "2026-01-13"))
        report = trio.run(as_of=TUESDAY)
        assert (report.exit_code, of(trio, "2026-01-12")) == (1, [])
        assert "only 15% of the 13 tickers that had a bar in the session before have one of 2026-01-12" in str(
            report.error
        )

    def test_so_are_copies_of_it(self, trio: Market) -> None:
        for symbol in self.ALL:
            write_chart(trio.folder, symbol, BEFORE | {"2026-01-12": BOLT["2026-01-08"]})
        report = trio.run(as_of=TUESDAY)
        assert report.exit_code == 1
        assert "are copies of the session before" in str(report.error)
