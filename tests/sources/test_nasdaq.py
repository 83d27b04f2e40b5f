"""Nasdaq's listings as a price source: which session they are of is proven by the closes that are stored."""

import json
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from include.insight_invest.errors import SourceUnavailable, StaleSource, Throttled
from include.insight_invest.sources.nasdaq import Nasdaq
from tests.replay import Fault, Replay
from tests.sources.asking import ask, bars, fast, wanted

EVE, SESSION = "2026-01-06", "2026-01-07"
# (close of the 5th, close of the 6th, what the listing says of the 7th: lastsale, netchange)
MOVES = {
    "ACME": (41.0, 44.0, "$46.00", "2.00"),
    "BOLT": (50.5, 51.5, "$52.50", "1.00"),
    "CORE": (9.0, 10.0, "$9.50", "-0.50"),
}


def closes(**days: tuple[float, ...]) -> pd.DataFrame:
    """Stored closes {ticker: (5 January, 6 January, ...)}."""
    rows = [
        (ticker, pd.Timestamp(f"2026-01-{5 + number:02}"), close)
        for ticker, values in days.items()
        for number, close in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["ticker", "trade_date", "close"])


def write_listing(folder: Path, exchange: str, *rows: tuple[str, str, str, str]) -> None:
    """A listing file: rows of (symbol, lastsale, netchange, volume)."""
    names = ("symbol", "lastsale", "netchange", "volume")
    file = folder / "us_listing" / f"{exchange}_full_tickers.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps([dict(zip(names, row, strict=True)) for row in rows]))


@pytest.fixture
def world(replay: Replay, tmp_path: Path) -> Path:
    replay.load(tmp_path)
    for exchange in ("nyse", "amex"):
        write_listing(tmp_path, exchange)
    write_listing(tmp_path, "nasdaq", *((t, sale, change, "700") for t, (_, _, sale, change) in MOVES.items()))
    return tmp_path


def stored(**more: tuple[float, ...]) -> pd.DataFrame:
    return closes(**{ticker: move[:2] for ticker, move in MOVES.items()}, **more)


def source(frame: pd.DataFrame) -> Nasdaq:
    return Nasdaq(fast(), frame, date.fromisoformat(EVE))


def test_it_gives_close_and_volume_of_the_last_session(world: Path) -> None:
    nasdaq = source(stored())
    (answer,) = ask(nasdaq, wanted("ACME", "BOLT", session=SESSION, start=EVE))
    assert bars([answer]) == [
        ("ACME", "2026-01-07", None, None, None, 46.0, 700.0, "2026-01-07"),
        ("BOLT", "2026-01-07", None, None, None, 52.5, 700.0, "2026-01-07"),
    ]
    assert (answer.source, answer.currency, answer.requests, nasdaq.requests) == ("nasdaq", "USD", 3, 3)


def test_a_ticker_whose_close_before_is_another_is_left_out(world: Path) -> None:
    """SPLT split 2:1 on the 7th: the listing's close before is in the new shares, the stored one is not."""
    rows = [(t, sale, change, "700") for t, (_, _, sale, change) in MOVES.items()]
    more = [("SPLT", "$51.00", "1.00", "9"), ("FRSH", "$5.00", "0.10", "9"), ("IDLE", "$5.00", "0.00", "0")]
    write_listing(world, "nasdaq", *rows, *more)
    days = {f"B{number:02}": (50.5, 51.5) for number in range(8)}
    write_listing(world, "nyse", *((ticker, "$52.50", "1.00", "700") for ticker in days))
    (answer,) = ask(
        source(stored(SPLT=(98.0, 100.0), **days)), wanted("ACME", "SPLT", "FRSH", "IDLE", "GONE", session=SESSION)
    )
    assert [row[0] for row in bars([answer])] == ["ACME"]
    assert {ticker: reason for ticker, (_, reason) in answer.problems.items()} == {
        "SPLT": "its close before in Nasdaq's listing is not the one that is stored of 2026-01-06",
        "FRSH": "no close of 2026-01-06 is stored, by which its listing could be proven",
        "IDLE": "not in the exchanges' listings, or without a trade",
        "GONE": "not in the exchanges' listings, or without a trade",
    }


class TestWhichSession:
    """The files carry no date: a session that cannot be proven is not believed."""

    @pytest.mark.parametrize(
        ("frame", "message"),
        [
            # what is stored ends one session later than the file's close before: the file is yesterday's
            (closes(ACME=(44.0, 46.0), BOLT=(51.5, 52.5), CORE=(10.0, 9.5)), "not of 2026-01-07: .* for 0% of 3"),
            # the file is of a later session than what is stored
            (closes(ACME=(40.0, 41.0), BOLT=(50.0, 50.5), CORE=(8.0, 9.0)), "not of 2026-01-07: .* for 0% of 3"),
            # so quiet a market that the closes of both sessions fit
            (closes(ACME=(44.0, 44.0), BOLT=(51.5, 51.5), CORE=(10.0, 10.0)), "not of 2026-01-07: .* for 100% of 3"),
            (closes(ACME=(41.0,), BOLT=(50.5,)), "nothing is stored of 2026-01-06"),
            (closes(NOPE=(1.0, 1.0)), "only 0 tickers of the listings have a stored close of 2026-01-06"),
            # of a few tickers, all must be there
            (closes(ACME=(41.0, 44.0), NOPE=(1.0, 2.0)), "only 1 tickers of the listings have a stored close"),
        ],
    )
    def test_what_is_not_proven_is_stale(self, world: Path, frame: pd.DataFrame, message: str) -> None:
        with pytest.raises(StaleSource, match=message):
            ask(source(frame), wanted("ACME", session=SESSION))

    @pytest.mark.parametrize(("matching", "proven"), [(18, True), (17, False)])
    def test_nine_tenths_must_match(self, world: Path, matching: int, proven: bool) -> None:
        write_listing(world, "nasdaq", *((f"T{number:02}", "$11.00", "1.00", "5") for number in range(20)))
        frame = closes(**{f"T{number:02}": (9.0, 10.0 if number < matching else 10.2) for number in range(20)})
        if proven:
            assert len(bars(ask(source(frame), wanted("T00", "T19", session=SESSION)))) == 1
        else:
            with pytest.raises(StaleSource, match="for 85% of 20 tickers"):
                ask(source(frame), wanted("T00", session=SESSION))


class TestFailures:
    """One exchange's file that cannot be read leaves the others; none of them is a source that is down."""

    def test_one_file(self, world: Path, replay: Replay) -> None:
        replay.fault(Fault.SERVER_ERROR, match="nyse")
        assert len(bars(ask(source(stored()), wanted("ACME", session=SESSION)))) == 1

    @pytest.mark.parametrize(("fault", "error"), [(Fault.SERVER_ERROR, SourceUnavailable), (Fault.TOO_MANY, Throttled)])
    def test_all_of_them(self, world: Path, replay: Replay, fault: Fault, error: type[Exception]) -> None:
        replay.fault(fault, source="listing")
        nasdaq = source(stored())
        with pytest.raises(error):
            ask(nasdaq, wanted("ACME", session=SESSION))
        assert nasdaq.requests == replay.counts["listing"] == 3


def test_the_files_of_a_saturday_are_of_friday(replay: Replay, shared_data: Path) -> None:
    """Real files of 22 August 2026 against AAPL as Yahoo gave it a day before: close 309.35 on both sides."""
    replay.load(shared_data)
    replay.move_clock(datetime.fromisoformat("2026-08-22T12:00+00:00"))
    yahoo = pd.read_csv(shared_data / "yahoo_vintages" / "AAPL@a8f3350.csv", parse_dates=["Date"]).tail(8)
    frame = yahoo.rename(columns={"Date": "trade_date", "Close": "close"}).assign(ticker="AAPL")[:-1]
    (row,) = bars(ask(Nasdaq(fast(), frame, date(2026, 8, 20)), wanted("AAPL", session="2026-08-21")))
    assert row == ("AAPL", "2026-08-21", None, None, None, 309.35, 46767645.0, "2026-08-21")
    assert row[5] == pytest.approx(float(yahoo["Close"].iloc[-1]), rel=1e-6)
    with pytest.raises(StaleSource):
        ask(Nasdaq(fast(), frame[:-1], date(2026, 8, 19)), wanted("AAPL", session="2026-08-20"))
