"""Answers that the client libraries cannot read, or read as something else: each is a named failure of its ticker."""

import gzip
import json
from datetime import date
from pathlib import Path

import pytest

from include.insight_invest.errors import NotFound, SourceUnavailable
from include.insight_invest.sources.fred import Fred
from include.insight_invest.sources.krx import Snapshot
from include.insight_invest.sources.krx_rows import snapshot_definitions
from include.insight_invest.sources.listings import fetch_listing, parse_listing, parse_quotes
from include.insight_invest.sources.naver import Naver
from include.insight_invest.sources.yahoo import Yahoo
from tests.folders import write_chart, write_fred, write_krx, write_naver
from tests.replay import Replay
from tests.replay_tests.clients import at
from tests.sources.asking import ask, bars, fast, wanted
from tests.sources.damaging import replaced, send, whole

# yfinance and pandas warn of what they are about to fail at
pytestmark = pytest.mark.filterwarnings("ignore")

DAY = "2026-01-07"
NESTED = b"[" * 20_000
CUT_GZIP = gzip.compress(b"," * 5_000)[:-8]


@pytest.fixture
def folder(replay: Replay, tmp_path: Path) -> Path:
    """ACME on Yahoo, 012345 on Naver, 005930 on KRX and RATE at FRED, on an evening in January."""
    write_chart(tmp_path, "ACME", {"2026-01-06": (40.0, 42.0, 39.0, 41.0, 1000), DAY: (41.0, 44.0, 40.0, 43.5, 2000)})
    write_naver(tmp_path, "012345", {DAY: (1000, 1100, 900, 1050, 500)})
    write_krx(tmp_path, DAY, [("005930", "Samsung", "KOSPI", 1000, 1100, 900, 1050, 500)])
    write_fred(tmp_path, "RATE", [("2025-10-01", "2025-11-05", "3.0"), ("2025-11-01", "2025-12-05", "3.25")])
    replay.load(tmp_path)
    replay.move_clock(at("2026-01-07T23:00"))
    return tmp_path


class TestYahoo:
    """A chart of ACME."""

    @pytest.mark.parametrize("currency", ["", " ", "usd", "USd", "1,234.5", "US/Eastern", "U\\u0000D", "x" * 5_000])
    def test_a_currency_that_is_none(self, folder: Path, replay: Replay, currency: str) -> None:
        send(replay, "period1", replaced('"currency": "USD"', f'"currency": "{currency}"'))
        assert self.problem() == ("failed", "Yahoo names no currency for ACME")

    def test_a_hundredth_of_a_currency_is_left_to_the_checks(self, folder: Path, replay: Replay) -> None:
        send(replay, "period1", replaced('"currency": "USD"', '"currency": "GBp"'))
        (answer,) = ask(Yahoo(fast(attempts=1), "US"), wanted("ACME", session=DAY))
        assert (answer.currency, answer.problems) == ("GBp", {})

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("43.5", "[43.5]"),
            ("43.5", '"43.5 or so"'),
            ("43.5", "{}"),
            ("43.5", "1" + "0" * 400),
            ('"timestamp"', '"timestamps"'),
            ('"quote"', '"quotes"'),
            ('"result": [', '"result": [[], '),
            ('"chart"', '"char"'),
        ],
    )
    def test_what_is_not_a_chart(self, folder: Path, replay: Replay, old: str, new: str) -> None:
        send(replay, "period1", replaced(old, new))
        state, reason = self.problem()
        assert (state, reason) in (
            ("failed", "Yahoo's answer for ACME is not a chart"),
            ("empty", "Yahoo has no prices for ACME"),
        )

    def test_brackets_without_an_end(self, folder: Path, replay: Replay) -> None:
        send(replay, "period1", whole(NESTED))
        assert self.problem() == ("failed", "Yahoo's answer for ACME is not a chart")

    @staticmethod
    def problem() -> tuple[str, str]:
        """How ACME ended; of a source that answered nobody, before it says that it is down."""
        answer = next(Yahoo(fast(attempts=1), "US").prices(wanted("ACME", session=DAY)))
        state, reason = answer.problems["ACME"]
        return str(state), reason


class TestNaver:
    """A history of 012345."""

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            ("|1050|", "|0x10|", "Naver's answer for 012345 is not a chart"),
            ("|1050|", "|0001-01-01|", "Naver's answer for 012345 is not a chart"),
            ("|1050|", "|1050|1|1|1|", "Naver's answer for 012345 is not a chart"),
            ("20260107|", "00000000|", "Naver's answer for 012345 is not a chart"),
            ("20260107|", "|", "Naver's answer for 012345 is not a chart"),
        ],
    )
    def test_what_is_not_a_chart(self, folder: Path, replay: Replay, old: str, new: str, reason: str) -> None:
        send(replay, "fchart", replaced(old, new))
        assert self.problem() == ("failed", reason)

    def test_a_day_to_come(self, folder: Path, replay: Replay) -> None:
        send(replay, "fchart", replaced("20260107|", "20991231|"))
        assert self.problem() == ("empty", "Naver has nothing for 012345")

    def test_a_compressed_answer_that_was_cut_short(self, folder: Path, replay: Replay) -> None:
        send(replay, "fchart", whole(b"no gzip", "gzip"))
        state, reason = self.problem()
        assert (state, reason[:56]) == ("failed", "Naver did not answer for 012345: ContentDecodingError: (")

    def test_one_that_cannot_be_read_leaves_the_others(self, folder: Path, replay: Replay) -> None:
        write_naver(folder, "000020", {DAY: (1000, 1100, 900, 1050, 500)})
        send(replay, "symbol=012345", replaced("|1050|", "|x|"))
        answers = ask(Naver(fast(attempts=1)), wanted("012345", "000020", session=DAY))
        assert [row[0] for row in bars(answers)] == ["000020"]

    @staticmethod
    def problem() -> tuple[str, str]:
        (answer,) = ask(Naver(fast(attempts=1)), wanted("012345", session=DAY))
        state, reason = answer.problems["012345"]
        return str(state), reason


class TestKRX:
    """A listing of one share."""

    @pytest.mark.parametrize("body", [NESTED, b"null", b"[]", b'{"result": null}', b'{"result": {"output": []}}'])
    def test_a_newest_session_that_is_none(self, folder: Path, replay: Replay, body: bytes) -> None:
        send(replay, "B128", whole(body))
        with pytest.raises(SourceUnavailable, match=r"KRX's listing cannot be read: the answer is none"):
            Snapshot(fast(attempts=1)).newest()

    @pytest.mark.parametrize("newest", [True, False])
    def test_a_compressed_listing_that_was_cut_short(self, folder: Path, replay: Replay, newest: bool) -> None:
        send(replay, ".csv", whole(CUT_GZIP, "gzip"))
        snapshot = Snapshot(fast(attempts=1))
        with pytest.raises(SourceUnavailable, match="KRX's listing"):
            snapshot.newest() if newest else snapshot.earlier(date.fromisoformat(DAY))

    @pytest.mark.parametrize(
        ("old", "new", "field", "value"),
        [
            ("Samsung", "Sam\x1bsung", "name", "Sam sung"),
            ("Samsung", "x" * 2_000, "name", "x" * 1_000),
            ("Samsung", "", "name", None),
            ("Samsung", "12.5", "name", None),
            ("KR7005930000", "", "isin", None),
            ("KOSPI", "NASDAQ", "market", None),
            ("KOSPI", "7", "market", None),
            ("KOSPI", "K" * 30, "market", None),
            ("KOSPI", "KOSDAQ GLOBAL", "market", "KOSDAQ"),
        ],
    )
    def test_what_a_definition_cannot_be(
        self, folder: Path, replay: Replay, old: str, new: str, field: str, value: str | None
    ) -> None:
        send(replay, ".csv", replaced(old, new))
        (row,) = snapshot_definitions(Snapshot(fast(attempts=1)).newest()).to_dict("records")
        assert (None if row[field] != row[field] else row[field]) == value

    @pytest.mark.parametrize("newest", [True, False])
    def test_no_row_of_a_share(self, folder: Path, replay: Replay, newest: bool) -> None:
        send(replay, ".csv", replaced("005930", "5930.0"))
        snapshot = Snapshot(fast(attempts=1))
        with pytest.raises(SourceUnavailable, match="KRX's listing is not one: none of its 1 row has a share's code"):
            snapshot.newest() if newest else snapshot.earlier(date.fromisoformat(DAY))

    @pytest.mark.parametrize("changes", ["inf", "-inf", "1e999"])
    def test_a_base_price_that_is_not_finite_is_none(self, folder: Path, replay: Replay, changes: str) -> None:
        send(replay, ".csv", replaced(",1,0,0.0,", f",1,{changes},0.0,"))
        (answer,) = Snapshot(fast(attempts=1)).prices(wanted("005930", session=DAY))
        assert answer.base is not None
        assert (answer.bars["close"].tolist(), answer.base.isna().tolist()) == ([1050.0], [True])


class TestFRED:
    """The two vintages of RATE."""

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            ('encoding="utf-8"', 'encoding="utf-9"', "FRED's answer for RATE is not XML"),
            ('value="3.25"', 'value="3.25%"', "not one: a number or a day of it cannot be read"),
            ('value="3.25"', 'val="3.25"', "FRED's answer for RATE is not XML"),
            ('date="2025-11-01"', 'date="2025-11-31"', "not one: a number or a day of it cannot be read"),
            (
                'date="2025-11-01"',
                'date="2127-11-01"',
                "has an observation of a day over a century ahead; nothing of it was loaded",
            ),
            ('date="2025-11-01"', 'day="2025-11-01"', "has an observation without a day; nothing of it was loaded"),
            ('value="3.25"', 'value="1e999"', "has a value that is not finite; nothing of it was loaded"),
            (
                'realtime_start="2025-12-05"',
                'realtime_start="2026-01-09"',
                "has a vintage of another time than was asked for; nothing of it was loaded",
            ),
            ('date="2025-11-01"', 'date="2025-10-01"', "has two values of one vintage; nothing of it was loaded"),
        ],
    )
    def test_what_are_no_observations(self, folder: Path, replay: Replay, old: str, new: str, reason: str) -> None:
        if "two values" in reason:
            write_fred(folder, "RATE", [("2025-10-01", "2025-12-05", "3.0"), ("2025-11-01", "2025-12-05", "3.25")])
        send(replay, "observations", replaced(old, new))
        with pytest.raises(SourceUnavailable) as caught:
            list(Fred(fast(attempts=1)).vintages("RATE", None, at("2026-01-07T23:00")))
        assert str(caught.value).startswith("FRED's answer for RATE ")
        assert str(caught.value).endswith(reason)

    def test_a_day_that_only_some_versions_of_pandas_know(self, folder: Path, replay: Replay) -> None:
        send(replay, "observations", replaced('date="2025-11-01"', 'date="9999-12-31"'))
        with pytest.raises(SourceUnavailable, match=r"FRED's answer for RATE (is not one|has an observation of a day)"):
            list(Fred(fast(attempts=1)).vintages("RATE", None, at("2026-01-07T23:00")))

    def test_what_fred_says_is_told_in_a_line(self, folder: Path, replay: Replay) -> None:
        page = b'<error code="400" message="Bad&#10;  Request.&#8232;" />'
        send(replay, "api.stlouisfed.org", lambda answer: answer.but(body=page, status=400))
        with pytest.raises(SourceUnavailable, match=r"^FRED refused RATE: Bad Request\.$"):
            list(Fred(fast(attempts=1)).vintages("RATE", None, at("2026-01-07T23:00")))


class TestListings:
    """The files of the US exchanges."""

    @pytest.mark.parametrize("body", [NESTED, b'{"a":' * 20_000])
    def test_brackets_without_an_end(self, body: bytes) -> None:
        with pytest.raises(SourceUnavailable, match="the NYSE listing is not whole JSON"):
            parse_listing(body, "NYSE")

    @pytest.mark.parametrize("symbol", [{"raw": "X"}, [1], 1e308, None, "x" * 300, "X" * 300, "A\x00B", "삼성", "A B"])
    def test_a_symbol_that_is_none_is_left_out(self, symbol: object) -> None:
        rows = [{"symbol": symbol, "name": "X"}, {"symbol": "ACME", "name": "Acme"}]
        assert parse_listing(json.dumps(rows).encode(), "NYSE")["ticker"].tolist() == ["ACME"]

    @pytest.mark.parametrize(
        ("field", "sent", "kept"),
        [
            ("name", "Ac\x00me\r\nInc.", "Ac me Inc."),
            ("name", "\ud800", None),
            ("name", "x" * 2_000, "x" * 1_000),
            ("name", ["Acme"], None),
            ("sector", {"raw": "Tools"}, None),
            ("sector", "x" * 2_000, "x" * 255),
            ("marketCap", "1e308", None),
            ("marketCap", float("inf"), None),
            ("marketCap", 10**400, None),
            ("marketCap", -5, None),
            ("marketCap", 5, 5.0),
        ],
    )
    def test_what_a_definition_cannot_be(self, field: str, sent: object, kept: object) -> None:
        (row,) = parse_listing(json.dumps([{"symbol": "ACME", field: sent}]).encode(), "NYSE").to_dict("records")
        found = row[field.lower()]
        assert (None if found != found else found) == kept

    def test_quotes_of_other_types_are_none(self) -> None:
        rows = [{"symbol": "ACME", "lastsale": ["$5"], "netchange": "1", "volume": "9"}]
        assert parse_quotes(json.dumps(rows).encode(), "NYSE")["close"].isna().all()

    def test_a_compressed_file_that_was_cut_short(self, replay: Replay) -> None:
        send(replay, "nyse_full_tickers", lambda answer: whole(b"no gzip", "gzip")(answer).but(status=200))
        with pytest.raises(SourceUnavailable, match="the NYSE listing: ContentDecodingError"):
            fetch_listing("NYSE", 5)


def test_a_ticker_that_is_not_known_is_still_told_apart(folder: Path, replay: Replay) -> None:
    with pytest.raises(NotFound, match="FRED does not know NOPE"):
        list(Fred(fast(attempts=1)).vintages("NOPE", None, at("2026-01-07T23:00")))
