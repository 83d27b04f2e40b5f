"""Korean corporate actions: found in KRX's base price, measured on Naver's restated history, landed as a split."""

from typing import Any

import pytest

from tests.fixtures.market import Market
from tests.folders import write_krx, write_naver
from tests.replay import Fault

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (f"2026-01-{day:02d}T12:00+00:00" for day in (5, 6, 7, 8))
EVES = {"2026-01-05": (16_900, 17_200, 16_800, 17_000, 500), "2026-01-06": (17_100, 17_200, 16_900, 16_970, 600)}
EX_DAY = (9140, 9900, 9000, 9880, 1500)  # of a bonus issue of one for one: the base price is 8,490


@pytest.fixture(autouse=True)
def _listings(market: Market) -> None:
    """059120 on Monday and Tuesday, and 005930, to which nothing happens."""
    for path in (market.folder / "krx_listing").iterdir():
        path.unlink()
    for day, bar in EVES.items():
        listing(market, day, ("059120", "Bonus", "KOSDAQ", *bar))


def listing(market: Market, day: str, share: tuple[Any, ...]) -> None:
    write_krx(market.folder, day, [share, ("005930", "Samsung", "KOSPI", 1000, 1100, 900, 1050, int(day[-2:]))])


def restated(market: Market, ratio: float = 2, ex_day: tuple[int, ...] = EX_DAY) -> None:
    """Naver's history in the shares of the ex-date; before it, as it was quoted then."""
    before = {eve: (*(int(price / ratio) for price in bar[:4]), bar[4]) for eve, bar in EVES.items()}
    write_naver(market.folder, "059120", before | {"2026-01-07": ex_day})  # type: ignore[arg-type]
    (market.folder / "naver" / "actions.csv").write_text(f"code,ex_date,ratio\n059120,2026-01-07,{ratio}\n")


def run_until_wednesday(market: Market, share: tuple[Any, ...] = ()) -> Any:
    ex_day = ("059120", "Bonus", "KOSDAQ", *EX_DAY, 8490)
    listing(market, "2026-01-07", share or ex_day)
    for as_of in (MONDAY, TUESDAY):
        market.run("kr-price", as_of=as_of)
    market.replay.reset()
    return market.run("kr-price", as_of=WEDNESDAY)


def moves(market: Market) -> list[tuple[Any, ...]]:
    return market.rows(
        "select ticker, ex_date::text, state, stored_close, base from tb_base_move join tb_meta using (meta_id)"
    )


def splits(market: Market) -> list[tuple[Any, ...]]:
    return market.rows("select ticker, ex_date::text, value, a.source from tb_action as a join tb_meta using (meta_id)")


def test_a_bonus_issue_is_a_split_with_its_evidence(market: Market) -> None:
    restated(market)
    report = run_until_wednesday(market)
    assert splits(market) == [("059120", "2026-01-07", 2.0, "krx+naver")]
    assert moves(market) == [("059120", "2026-01-07", "action", 16_970.0, 8490.0)]
    ((evidence,),) = market.rows("select evidence from tb_action where source = 'krx+naver'")
    assert evidence == {
        "base": 8490.0,
        "stored_close": 16_970.0,
        "stocks_before": 100.0,
        "stocks_after": 100.0,
        "quoted_on": "2026-01-07",
        "overlap_sessions": 2,
        "agreeing_sessions": 2,
        "ratio_min": pytest.approx(1.99977, abs=1e-5),
        "ratio_max": pytest.approx(2.00012, abs=1e-5),
        "ratio_is": "simple",
        "adjustment": "shares",
    }
    assert report.notes[0].endswith("splits were inferred: 059120 2026-01-07 16,970 -> 8,490")
    assert (report.actions_new, report.source, market.replay.counts["naver"]) == (1, "krx+naver", 1)
    market.audit("kr-price")


def test_the_split_adds_a_row_and_changes_no_bar(market: Market) -> None:
    restated(market)
    run_until_wednesday(market)
    assert [bar[:7] for bar in market.bars() if bar[0] == "059120"] == [
        ("059120", "2026-01-05", 16_900.0, 17_200.0, 16_800.0, 17_000.0, 500),
        ("059120", "2026-01-06", 17_100.0, 17_200.0, 16_900.0, 16_970.0, 600),
        ("059120", "2026-01-07", 9140.0, 9900.0, 9000.0, 9880.0, 1500),
    ]
    assert market.rows("select count(*) from tb_bar_revision") == [(0,)]
    assert market.rows(
        "select trade_date::text, close, volume from tb_price join tb_meta using (meta_id) where ticker = '059120'"
    ) == [("2026-01-05", 8500.0, 1000), ("2026-01-06", 8485.0, 1200), ("2026-01-07", 9880.0, 1500)]


def test_only_the_share_in_question_is_asked_of_naver_and_once(market: Market) -> None:
    restated(market)
    run_until_wednesday(market)
    before = market.dump("tb_job_run")
    market.run("kr-price", as_of=WEDNESDAY)
    assert market.replay.counts["naver"] == 1
    assert market.dump("tb_job_run") == before


def test_a_rights_issue_is_a_factor_of_price(market: Market) -> None:
    """062970 on 2026-01-29: KRX took 3,170 won for 2,685."""
    ex_day = (14_500, 15_000, 14_000, 14_900, 1500)
    restated(market, 16_970 / 14_370, ex_day)
    run_until_wednesday(market, ("059120", "Bonus", "KOSDAQ", *ex_day, 14_370))
    assert splits(market) == [("059120", "2026-01-07", pytest.approx(16_970 / 14_370, rel=1e-12), "krx+naver")]
    assert market.rows("select evidence ->> 'ratio_is', evidence ->> 'adjustment' from tb_action") == [
        ("base", "price")
    ]


def test_a_consolidation(market: Market) -> None:
    ex_day = (170_000, 180_000, 165_000, 171_000, 9)
    restated(market, 0.1, ex_day)
    run_until_wednesday(market, ("059120", "Bonus", "KOSDAQ", *ex_day, 169_700, 10))
    assert splits(market) == [("059120", "2026-01-07", 0.1, "krx+naver")]


def test_a_consolidation_whose_base_price_krx_left_alone(market: Market) -> None:
    """052670 on 2026-02-09: 1,500 shares became one, and 2,080 won were the base of a close of 625,000."""
    listing(market, "2026-01-06", ("059120", "Bonus", "KOSDAQ", 0, 0, 0, 16_970, 0))
    ex_day = (900_000, 900_000, 800_000, 850_000, 9)
    restated(market, 0.01, ex_day)
    run_until_wednesday(market, ("059120", "Bonus", "KOSDAQ", *ex_day, 16_970, 1))
    assert splits(market) == [("059120", "2026-01-07", 0.01, "krx+naver")]


def test_a_merger_restates_nothing_and_is_asked_about_once(market: Market) -> None:
    """451700, a SPAC, on 2026-02-06: 2,105 won became 2,600, and its shares one of the merged company each."""
    write_naver(market.folder, "059120", EVES | {"2026-01-07": (20_900, 21_000, 20_000, 20_500, 900)})
    report = run_until_wednesday(market, ("059120", "Spac", "KOSDAQ", 20_900, 21_000, 20_000, 20_500, 900, 20_950))
    assert (splits(market), moves(market)) == ([], [("059120", "2026-01-07", "no_action", 16_970.0, 20_950.0)])
    assert "no history was restated (a merger, a halt): no action: 059120" in report.notes[0]
    listing(market, "2026-01-08", ("059120", "Spac", "KOSDAQ", 20_500, 21_000, 20_000, 20_600, 800))
    assert market.run("kr-price", as_of=THURSDAY).notes == []
    assert market.replay.counts["naver"] == 1


def test_a_close_off_the_tick_moves_nothing(market: Market) -> None:
    """0004Y0, a SPAC, on 2026-01-20: KRX took 2,022 won for 2,025."""
    listing(market, "2026-01-05", ("059120", "Spac", "KOSDAQ", 2010, 2015, 2005, 2015, 10))
    listing(market, "2026-01-06", ("059120", "Spac", "KOSDAQ", 2015, 2025, 2015, 2022, 10))
    run_until_wednesday(market, ("059120", "Spac", "KOSDAQ", 2015, 2030, 2015, 2030, 10, 2025))
    assert (moves(market), market.replay.counts["naver"]) == ([], 0)


class TestNotYetExplained:
    """Naver is down, or has not restated its history yet: the move stays open, and is told of once."""

    def thursday(self, market: Market) -> Any:
        listing(market, "2026-01-08", ("059120", "Bonus", "KOSDAQ", 9880, 9990, 9700, 9900, 1100))
        bars = {"2026-01-07": EX_DAY, "2026-01-08": (9880, 9990, 9700, 9900, 1100)}
        halves = {day: (*(int(price / 2) for price in bar[:4]), bar[4]) for day, bar in EVES.items()}
        write_naver(market.folder, "059120", halves | bars)  # type: ignore[arg-type]
        return market.run("kr-price", as_of=THURSDAY)

    def test_naver_is_late(self, market: Market) -> None:
        write_naver(market.folder, "059120", EVES | {"2026-01-07": EX_DAY})
        assert "Naver shows no reason yet" in run_until_wednesday(market).notes[0]
        assert (moves(market)[0][2], splits(market)) == ("open", [])
        assert "splits were inferred" in self.thursday(market).notes[0]
        assert splits(market) == [("059120", "2026-01-07", 2.0, "krx+naver")]

    def test_naver_is_down(self, market: Market) -> None:
        restated(market)
        listing(market, "2026-01-07", ("059120", "Bonus", "KOSDAQ", *EX_DAY, 8490))
        for as_of in (MONDAY, TUESDAY):
            market.run("kr-price", as_of=as_of)
        market.replay.fault(Fault.SERVER_ERROR, source="naver")
        report = market.run("kr-price", as_of=WEDNESDAY)
        assert (report.status, moves(market)[0][2]) == ("succeeded", "open")
        assert market.run("kr-price", as_of=WEDNESDAY).notes == []
        market.replay.reset()
        market.run("kr-price", as_of=WEDNESDAY)
        assert splits(market) == [("059120", "2026-01-07", 2.0, "krx+naver")]

    def test_naver_never_restates(self, market: Market) -> None:
        write_naver(market.folder, "059120", EVES | {"2026-01-07": EX_DAY})
        run_until_wednesday(market)
        days = ["08", "09", "12", "13", "14", "15", "16", "19", "20"]
        notes = []
        for number, day in enumerate(days):
            listing(market, f"2026-01-{day}", ("059120", "Bonus", "KOSDAQ", 9880, 9990, 9700, 9900 + 10 * number, 1100))
            notes.append(market.run("kr-price", as_of=f"2026-01-{day}T12:00+00:00").notes)
        assert [len(note) for note in notes] == [0] * 8 + [1]
        assert "Naver has restated nothing in 10 sessions: see tb_base_move: 059120 2026-01-07" in notes[-1][0]
        assert (moves(market)[0][2], splits(market)) == ("unexplained", [])


def test_naver_corrects_the_history_that_was_its_own(market: Market) -> None:
    """Loaded on the ex-date's evening, before Naver restated it: quoted in the shares of the day before."""
    write_naver(market.folder, "059120", EVES | {"2026-01-07": EX_DAY})
    market.follow("059120", iso_code="KR", market="KOSDAQ")
    market.run("kr-price", as_of=WEDNESDAY, full_refresh=True, tickers=("059120",))
    restated(market)
    listing(market, "2026-01-07", ("059120", "Bonus", "KOSDAQ", *EX_DAY, 8490))
    market.run("kr-price", as_of=WEDNESDAY)
    assert splits(market) == [("059120", "2026-01-07", 2.0, "krx+naver")]
    assert [bar[1:] for bar in market.bars() if bar[0] == "059120"] == [
        ("2026-01-05", 8450.0, 8600.0, 8400.0, 8500.0, 1000, "2026-01-07", "naver"),
        ("2026-01-06", 8550.0, 8600.0, 8450.0, 8485.0, 1200, "2026-01-07", "naver"),
        ("2026-01-07", 9140.0, 9900.0, 9000.0, 9880.0, 1500, "2026-01-07", "krx"),
    ]
