"""KRX's listing of a whole market: which session it is of, what it quotes, and how it fails."""

from datetime import date
from pathlib import Path

import pytest

from include.insight_invest.errors import InsightError, NotFound, SourceUnavailable, StaleSource, Throttled
from include.insight_invest.sources.base import ACTION_COLUMNS, BAR_COLUMNS
from include.insight_invest.sources.calling import Pace
from include.insight_invest.sources.krx import Snapshot
from include.insight_invest.sources.krx_rows import snapshot_bars, snapshot_definitions
from include.insight_invest.sources.reader import Requests
from tests.folders import write_krx
from tests.replay import Fault, Replay
from tests.replay_tests.clients import at
from tests.sources.asking import ask, bars, fast, wanted

DAY = date(2026, 1, 7)
KRX, CACHE = "data.krx.co.kr", "data/listing/krx/2026-01-07.csv"
SHARES = [
    ("005930", "Samsung", "KOSPI", 1000, 1100, 900, 1050, 500),
    ("0126Z0", "Letters", "KOSPI", 10, 12, 9, 11, 7),
    ("247540", "Halted", "KOSDAQ GLOBAL", 0, 0, 0, 2050, 0),
    ("900000", "Untraded", "KONEX", "-", "-", "-", "-", "-"),
]


@pytest.fixture
def folder(replay: Replay, tmp_path: Path) -> Path:
    """A data folder with the market of 2026-01-07, and the replay's clock in that evening."""
    write_krx(tmp_path, "2026-01-07", SHARES)
    replay.load(tmp_path)
    replay.move_clock(at("2026-01-07T12:00"))
    return tmp_path


def test_the_market_of_a_day_is_three_requests(folder: Path, replay: Replay) -> None:
    snapshot = Snapshot(fast())
    listing = snapshot.market(DAY)
    assert listing["Code"].tolist() == ["005930", "0126Z0", "247540", "900000"]
    assert (snapshot.requests, replay.counts) == (3, {"krx": 3})


def test_bars_are_as_traded_that_day(folder: Path) -> None:
    listing = Snapshot(fast()).market(DAY)
    quoted = snapshot_bars(listing, {"005930": 1, "0126Z0": 2, "247540": 3, "900000": 4}, DAY)
    assert [
        [v if v == v else None for v in row]
        for row in quoted[list(BAR_COLUMNS)].astype({"trade_date": str, "basis_date": str}).to_numpy()
    ] == [
        [1, "005930", "2026-01-07", 1000.0, 1100.0, 900.0, 1050.0, 500.0, "2026-01-07"],
        [2, "0126Z0", "2026-01-07", 10.0, 12.0, 9.0, 11.0, 7.0, "2026-01-07"],
        [3, "247540", "2026-01-07", None, None, None, 2050.0, 0.0, "2026-01-07"],
    ]


def test_a_share_that_is_not_followed_is_left_out(folder: Path) -> None:
    assert snapshot_bars(Snapshot(fast()).market(DAY), {"0126Z0": 2}, DAY)["ticker"].tolist() == ["0126Z0"]


def test_the_listing_as_definitions(folder: Path) -> None:
    assert snapshot_definitions(Snapshot(fast()).newest()).iloc[2].to_dict() == {
        "ticker": "247540",
        "name": "Halted",
        "isin": "KR7247540000",
        "security_type": "STOCK",
        "asset_class": "EQUITY",
        "iso_code": "KR",
        "market": "KOSDAQ",
        "marketcap": 1_000_000,
    }


def test_an_older_listing_than_the_markets_last_session_is_stale(folder: Path) -> None:
    with pytest.raises(
        StaleSource, match="newest KRX listing is of 2026-01-07, the market's last session was 2026-01-08"
    ):
        Snapshot(fast()).market(date(2026, 1, 8))


def test_a_listing_of_an_earlier_session_is_there_too(folder: Path) -> None:
    write_krx(folder, "2026-01-06", [("005930", "Samsung", "KOSPI", 1, 1, 1, 1, 1)])
    snapshot = Snapshot(fast())
    assert snapshot.market(date(2026, 1, 6))["Close"].tolist() == [1]
    assert snapshot.requests == 4
    with pytest.raises(NotFound, match="has no 2026-01-02"):
        snapshot.market(date(2026, 1, 2))


class TestPrices:
    """KRX behind the protocol of every source: an answer per session, with every ticker whose window holds it."""

    @pytest.fixture(autouse=True)
    def _days(self, folder: Path, replay: Replay) -> None:
        write_krx(folder, "2026-01-05", [("005930", "Samsung", "KOSPI", 950, 1000, 900, 980, 300)])
        write_krx(folder, "2026-01-06", [("005930", "Samsung", "KOSPI", 980, 1000, 900, 990, 400)])
        write_krx(folder, "2026-01-07", [(*SHARES[0], 985, 120), *SHARES[1:]])

    def test_sessions_come_oldest_first(self) -> None:
        answers = ask(Snapshot(fast()), wanted("005930", session="2026-01-07", start="2026-01-05"))
        assert [(row[1], row[5]) for row in bars(answers)] == [
            ("2026-01-05", 980.0),
            ("2026-01-06", 990.0),
            ("2026-01-07", 1050.0),
        ]
        assert [str(answer.until) for answer in answers] == ["2026-01-05", "2026-01-06", "2026-01-07"]

    def test_an_answer_has_its_columns_base_prices_and_numbers_of_shares(self) -> None:
        (answer,) = Snapshot(fast()).prices(wanted("005930", "0126Z0", session="2026-01-07", start="2026-01-07"))
        assert (tuple(answer.bars.columns), tuple(answer.actions.columns)) == (BAR_COLUMNS, ACTION_COLUMNS)
        assert answer.base is not None
        assert (answer.base.tolist(), answer.stocks.tolist()) == ([985.0, 11.0], [120.0, 100.0])

    def test_who_is_not_listed_or_has_no_close_is_accounted_for(self) -> None:
        (answer,) = ask(
            Snapshot(fast()), wanted("999999", "900000", "005930", session="2026-01-07", start="2026-01-07")
        )
        assert answer.problems == {
            "999999": ("empty", "not in KRX's listing"),
            "900000": ("empty", "listed, but without a close"),
        }

    def test_a_session_that_is_not_kept_is_lost_and_the_others_come(self, folder: Path) -> None:
        (folder / "krx_listing" / "krx-2026-01-06.csv").unlink()
        snapshot = Snapshot(fast())
        answers = ask(snapshot, wanted("005930", session="2026-01-07", start="2026-01-05"))
        assert [row[1] for row in bars(answers)] == ["2026-01-05", "2026-01-07"]
        assert [(str(day), type(error)) for day, error in snapshot.lost.items()] == [("2026-01-06", NotFound)]

    def test_after_429_no_earlier_session_is_asked_for(self, replay: Replay) -> None:
        replay.fault(Fault.TOO_MANY, match="listing/krx/2026-01-05")
        snapshot = Snapshot(fast())
        answers = ask(snapshot, wanted("005930", session="2026-01-07", start="2026-01-05"))
        assert [row[1] for row in bars(answers)] == ["2026-01-07"]
        assert [type(error) for error in snapshot.lost.values()] == [Throttled, Throttled]
        assert replay.counts["krx"] == 4

    def test_requests_are_counted_as_the_server_counts_them(self, replay: Replay) -> None:
        answers = ask(Snapshot(fast()), wanted("005930", session="2026-01-07", start="2026-01-05"))
        assert [answer.requests for answer in answers] == [4, 1, 0]
        assert replay.counts["krx"] == 5

    def test_a_newest_listing_that_is_stale_is_of_no_use(self) -> None:
        with pytest.raises(StaleSource):
            ask(Snapshot(fast()), wanted("005930", session="2026-01-08", start="2026-01-05"))

    def test_nobody_wanted_is_nothing_asked(self, replay: Replay) -> None:
        assert (ask(Snapshot(fast()), []), replay.counts.total()) == ([], 0)


@pytest.mark.parametrize("match", [KRX, CACHE])
@pytest.mark.parametrize(
    "kind",
    [Fault.FORBIDDEN, Fault.SERVER_ERROR, Fault.HTML, Fault.EMPTY, Fault.TRUNCATED, Fault.DROP, Fault.TIMEOUT],
)
def test_what_is_no_listing_is_tried_again_and_then_unavailable(
    folder: Path, replay: Replay, kind: Fault, match: str, capfd: pytest.CaptureFixture[str]
) -> None:
    replay.fault(kind, match=match)
    snapshot = Snapshot(fast(attempts=2, timeout=0.3))
    with pytest.raises(SourceUnavailable, match=r"(?i)krx"):
        snapshot.market(DAY)
    assert snapshot.requests == replay.counts["krx"] == (6 if match == CACHE else 2)
    assert capfd.readouterr().out == ""


def test_after_a_fault_that_passes_the_listing_comes(folder: Path, replay: Replay) -> None:
    replay.fault(Fault.SERVER_ERROR, match=CACHE, times=2)
    assert len(Snapshot(fast()).market(DAY)) == 4


@pytest.mark.parametrize("match", [KRX, CACHE])
def test_429_is_not_tried_again(folder: Path, replay: Replay, match: str) -> None:
    replay.fault(Fault.TOO_MANY, match=match)
    with pytest.raises(Throttled, match="slow down"):
        Snapshot(fast()).market(DAY)
    assert replay.counts["krx"] == (3 if match == CACHE else 1)


def test_what_krx_itself_says_without_a_login_is_no_listing(folder: Path) -> None:
    """HTTP 400 with the body LOGOUT: the source is down for us, which is not the same as a market without data."""
    with pytest.raises(SourceUnavailable, match=r"data.krx.co.kr answered HTTP 400"):
        Requests(5, Pace("krx", 1000)).get("https://data.krx.co.kr/comm/bldAttendant/getJsonData.cmd")


class TestRecorded:
    """The files of March 2026."""

    @pytest.fixture(autouse=True)
    def _world(self, replay: Replay, shared_data: Path) -> None:
        replay.load(shared_data)

    def test_the_whole_market_of_a_day(self, replay: Replay) -> None:
        replay.move_clock(at("2026-03-19T21:00"))
        listing = Snapshot(fast()).market(date(2026, 3, 19))
        meta_ids = {code: number for number, code in enumerate(listing["Code"], 1)}
        bars = snapshot_bars(listing, meta_ids, date(2026, 3, 19))
        assert len(bars) == 2878
        assert bars.iloc[0, 3:8].tolist() == [199900.0, 205000.0, 199600.0, 200500.0, 19884483.0]
        halted = bars[bars["open"].isna()]
        assert len(halted) == (listing["Open"] == 0).sum() > 50
        assert (halted["close"] > 0).all()
        assert (bars["ticker"].str.len() == 6).all()
        assert "0126Z0" in set(bars["ticker"])

    def test_before_the_first_trade_there_are_no_closes(self, replay: Replay) -> None:
        replay.move_clock(at("2026-03-19T00:15"))  # 09:15 in Seoul
        listing = Snapshot(fast()).market(date(2026, 3, 19))
        assert set(listing["Close"]) == {"-"}
        assert snapshot_bars(listing, {"005930": 1}, date(2026, 3, 19)).empty

    def test_a_weekends_file_is_not_a_session(self, replay: Replay) -> None:
        replay.move_clock(at("2026-03-08T12:00"))  # a Sunday, whose file repeats Friday
        listing = Snapshot(fast()).newest()
        assert len(listing) > 2800
        with pytest.raises(InsightError):
            Snapshot(fast()).market(date(2026, 3, 6))
