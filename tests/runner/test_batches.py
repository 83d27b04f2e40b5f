"""A batch that cannot be right loads nothing and fails the job; an empty or shrunken answer takes nothing away."""

import shutil
from pathlib import Path

import pytest

from tests.fixtures.market import Market
from tests.folders import Bar, write_chart, write_krx
from tests.replay import Fault

THURSDAY = "2026-01-08T12:00+00:00"  # New York's last session was Wednesday's, Seoul's is Thursday's
FRIDAY = "2026-01-09T12:00+00:00"  # Thursday's, Friday's
WEDNESDAY_BAR: Bar = (10.0, 12.0, 9.0, 11.0, 500)
THURSDAY_BAR: Bar = (11.0, 13.0, 10.0, 12.0, 600)


@pytest.fixture
def loaded(market: Market) -> Market:
    """A universe of 25 shares, TA to TY, of which everything up to Wednesday is stored."""
    market.rows("delete from tb_meta")
    market.follow(*(f"T{letter}" for letter in LETTERS))
    for letter in LETTERS:
        quote(market, letter)
    market.run()
    return market


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXY"


def quote(market: Market, letter: str, thursday: Bar | None = None, until: str = "2026-01-08") -> None:
    """What Yahoo has of a share: Monday to Wednesday, ``thursday`` where it is given, nothing after ``until``."""
    bars = {"2026-01-05": (9.0, 11.0, 8.0, 10.0, 300), "2026-01-06": (9.5, 11.5, 8.5, 10.5, 400)}
    bars |= {"2026-01-07": WEDNESDAY_BAR} | ({"2026-01-08": thursday} if thursday else {})
    write_chart(market.folder, f"T{letter}", {day: bar for day, bar in bars.items() if day <= until})


class TestUnitedStates:
    """Yahoo answers in batches of 25 tickers."""

    def test_a_whole_batch_is_loaded(self, loaded: Market) -> None:
        for letter in LETTERS:
            quote(loaded, letter, THURSDAY_BAR)
        report = loaded.run(as_of=FRIDAY)
        assert (report.exit_code, report.rows.new) == (0, 25)

    def test_one_of_which_most_have_no_bar_of_the_day_is_refused(self, loaded: Market) -> None:
        for letter in LETTERS[:12]:
            quote(loaded, letter, THURSDAY_BAR)
        before = loaded.dump("tb_job_run")
        report = loaded.run(as_of=FRIDAY)
        assert (report.status, report.exit_code) == ("failed", 1)
        assert report.error == (
            "yahoo's answer for 25 tickers was refused, nothing of it was loaded: only 48% of the 25 tickers that had "
            "a bar in the session before have one of 2026-01-08, at least 50% must. Run again when the source is whole"
        )
        assert report.tickers == {"failed": 25}
        assert loaded.dump("tb_job_run") == before
        assert loaded.replay.counts["listing"] == 0  # no other source hides it
        assert report.requests > 0
        loaded.audit()

    def test_a_copy_of_the_session_before_is_refused(self, loaded: Market) -> None:
        for letter in LETTERS:
            quote(loaded, letter, WEDNESDAY_BAR)
        before = loaded.bars()
        report = loaded.run(as_of=FRIDAY)
        assert report.exit_code == 1
        assert "100% of its bars of 2026-01-08 are copies of the session before, to the volume" in (report.error or "")
        assert loaded.bars() == before

    def test_an_answer_that_ends_before_what_is_stored_is_refused(self, loaded: Market) -> None:
        for letter in LETTERS:
            quote(loaded, letter, until="2026-01-06")
        before = loaded.dump("tb_job_run")
        report = loaded.run()
        assert report.exit_code == 1
        assert "the answer shrank: its newest bar is of 2026-01-06, stored is 2026-01-07" in (report.error or "")
        assert loaded.dump("tb_job_run") == before

    def test_the_other_batches_are_loaded_all_the_same(self, loaded: Market) -> None:
        """TA to TY are the first batch; a ticker whose history is to be loaded is in one of histories, after them."""
        for letter in "ABCDEFGHIJK":
            quote(loaded, letter, THURSDAY_BAR)
        write_chart(loaded.folder, "NEW", {"2026-01-07": WEDNESDAY_BAR, "2026-01-08": THURSDAY_BAR})
        loaded.follow("NEW")
        report = loaded.run(as_of=FRIDAY)
        assert (report.exit_code, report.tickers) == (1, {"failed": 25, "updated": 1})
        assert [bar[0] for bar in loaded.bars() if bar[1] == "2026-01-08"] == ["NEW"]
        loaded.audit()

    def test_nine_of_ten_that_are_empty_are_no_success(self, loaded: Market) -> None:
        loaded.rows(
            "delete from tb_bar where meta_id not in (select meta_id from tb_bar group by 1 order by 1 limit 10)"
        )
        loaded.rows("delete from tb_meta where meta_id not in (select meta_id from tb_bar)")
        quote(loaded, "A", THURSDAY_BAR)
        for letter in LETTERS[1:10]:
            (loaded.folder / "yahoo_chart" / f"demo-T{letter}.json").unlink()
        report = loaded.run(as_of=FRIDAY)
        assert (report.status, report.exit_code) == ("failed", 1)
        assert "only 10% of the 10 tickers" in (report.error or "")

    def test_good_batches_that_are_too_little_together_stay_and_fail_the_job(self, loaded: Market) -> None:
        for letter in LETTERS[:19]:
            quote(loaded, letter, THURSDAY_BAR)
        report = loaded.run(as_of=FRIDAY)
        assert (report.status, report.exit_code) == ("failed", 1)
        assert report.error == (
            "only 19 of the 25 tickers that have a bar of 2026-01-07 have one of 2026-01-08, at least 80% must; what "
            "was loaded stays. Run again when the source is whole"
        )
        assert len([bar for bar in loaded.bars() if bar[1] == "2026-01-08"]) == 19
        quote(loaded, LETTERS[19], THURSDAY_BAR)
        assert loaded.run(as_of=FRIDAY).exit_code == 0
        loaded.audit()

    @pytest.mark.parametrize("kind", [Fault.EMPTY, Fault.HTML, Fault.TRUNCATED, Fault.SERVER_ERROR, Fault.TOO_MANY])
    def test_an_answer_with_nothing_in_it_takes_nothing_away(self, loaded: Market, kind: Fault) -> None:
        before = loaded.bars()
        loaded.replay.fault(kind, source="yahoo")
        assert loaded.run(settings=loaded.settings(attempts=1)).exit_code == 1
        assert loaded.bars() == before

    def test_nor_do_bars_without_values(self, loaded: Market) -> None:
        before = loaded.bars()
        loaded.replay.fault(Fault.NULL_BARS, source="yahoo")
        loaded.run()
        assert loaded.bars() == before


class TestKorea:
    """KRX's listing is the whole market in one answer."""

    CODES = tuple(f"{number:05}0" for number in range(1, 31))

    def list_shares(self, market: Market, day: str, count: int, price: int = 1000) -> None:
        """KRX's listing of ``day``, of the first ``count`` shares; of the last ones first, as they are renamed."""
        name = "Renamed" if count < len(self.CODES) else "Name"
        shares = [
            (code, name, "KOSPI", price, price + 200, price - 100, price + 100, price) for code in self.CODES[:count]
        ]
        write_krx(market.folder, day, shares)

    @pytest.fixture
    def korea(self, market: Market) -> Market:
        self.list_shares(market, "2026-01-08", 30)
        market.run("kr-price")
        return market

    def test_half_a_listing_defines_and_loads_nothing(self, korea: Market) -> None:
        self.list_shares(korea, "2026-01-09", 14, price=1010)
        before = korea.dump("tb_job_run")
        report = korea.run("kr-price", as_of=FRIDAY)
        assert (report.status, report.exit_code) == ("failed", 1)
        assert report.error == (
            "the listing of 2026-01-09 was refused, nothing of it was loaded: it has 14 rows, and only 47% of the 30 "
            "tickers of 2026-01-08, at least 50% must be there. Run again when the source is whole"
        )
        assert korea.dump("tb_job_run") == before
        assert korea.replay.counts["yahoo"] == 0  # no other source hides it
        assert report.requests == korea.replay.counts["krx"] - 3

    def test_when_it_is_whole_it_is_loaded(self, korea: Market) -> None:
        self.list_shares(korea, "2026-01-09", 14, price=1010)
        korea.run("kr-price", as_of=FRIDAY)
        self.list_shares(korea, "2026-01-09", 30, price=1010)
        report = korea.run("kr-price", as_of=FRIDAY)
        assert (report.exit_code, report.rows.new) == (0, 30)
        korea.audit("kr-price")

    def test_one_that_is_refused_is_no_evidence_of_who_left(self, market: Market) -> None:
        """Thursday's was missed, and is half a file when Friday's run reads it: seven of twelve are gone."""
        for day, count, price in (("2026-01-07", 12, 1000), ("2026-01-08", 5, 1010), ("2026-01-09", 12, 1020)):
            self.list_shares(market, day, count, price)
        market.run("kr-price", as_of="2026-01-07T12:00+00:00")
        report = market.run("kr-price", as_of=FRIDAY)
        assert (report.exit_code, (report.error or "").partition(":")[0]) == (
            1, "krx's answer for 12 tickers was refused, nothing of it was loaded",
        )  # fmt: skip
        assert market.rows("select session_date::text from tb_listing order by 1") == [("2026-01-07",), ("2026-01-09",)]
        assert market.rows("select * from tb_absence") == []
        assert market.rows("select distinct trade_date::text from tb_bar order by 1") == [
            ("2026-01-07",),
            ("2026-01-09",),
        ]


def test_a_real_listing_that_is_cut_at_a_row(market: Market, shared_data: Path) -> None:
    """19 March 2026 after the 18th: 1,439 of 2,878 rows are refused, the file as it is loads."""
    folder = market.folder / "krx_listing"
    shutil.rmtree(folder)
    folder.mkdir()
    real = shared_data / "krx_listing"
    (folder / "krx-2026-03-18.csv").write_bytes((real / "krx-2026-03-18.csv").read_bytes())
    market.run("kr-price", as_of="2026-03-18T12:00+00:00")
    rows = (real / "krx-2026-03-19.csv").read_text(encoding="utf-8-sig").splitlines(keepends=True)
    (folder / "krx-2026-03-19.csv").write_text("".join(rows[:1440]), encoding="utf-8")
    before = market.dump("tb_job_run")
    report = market.run("kr-price", as_of="2026-03-19T12:00+00:00")
    assert (report.exit_code, report.error is not None and "refused" in report.error) == (1, True)
    assert market.dump("tb_job_run") == before
    (folder / "krx-2026-03-19.csv").write_text("".join(rows), encoding="utf-8")
    report = market.run("kr-price", as_of="2026-03-19T12:00+00:00")
    assert (report.exit_code, report.rows.new) == (0, 2878)
