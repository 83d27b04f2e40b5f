"""Korea on recorded files: listings of March 2026, the market of early 2023 and 2026, and Samsung's split of 2018."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.backfill.stored import forget, stored
from tests.fixtures.market import Market
from tests.folders import write_krx
from tests.runner import marcap

LISTINGS = "krx_listing"
EVENING, NEXT_MORNING = "2026-03-19T08:00+00:00", "2026-03-19T21:00+00:00"  # 17:00 in Seoul, and 06:00


@pytest.fixture
def folder(market: Market, tmp_path: Path) -> Path:
    """A data folder of its own, that the replay serves."""
    folder = tmp_path / "korea"
    (folder / LISTINGS).mkdir(parents=True)
    market.replay.load(folder)
    return folder


class TestFiveVersionsOfOneDay:
    """2026-03-19: at 09:15 every close was "-", at 15:41 volumes were short, from 16:54 on they stood."""

    def put(self, shared_data: Path, folder: Path, version: str, day: str = "2026-03-19") -> None:
        shutil.copyfile(shared_data / LISTINGS / f"krx-{version}.csv", folder / LISTINGS / f"krx-{day}.csv")

    @pytest.mark.parametrize("now", ["00:15", "03:00", "06:41", "07:59"])
    def test_while_the_session_is_open_or_settling_nothing_of_it_is_stored(
        self, market: Market, shared_data: Path, now: str
    ) -> None:
        market.replay.load(shared_data)
        market.run("kr-price", as_of=f"2026-03-19T{now}+00:00")
        assert market.rows("select trade_date::text, count(*) from tb_bar group by 1") == [("2026-03-18", 2878)]

    def test_a_version_read_too_early_is_corrected_by_the_later_one(
        self, market: Market, shared_data: Path, folder: Path
    ) -> None:
        self.put(shared_data, folder, "2026-03-19@17bda1a")
        assert market.run("kr-price", as_of=EVENING).rows.new == 2878
        self.put(shared_data, folder, "2026-03-19@fc016eb")
        changed = market.run("kr-price", as_of=NEXT_MORNING).rows.changed
        assert changed == 1907
        samsung = "from {} join tb_meta using (meta_id) where ticker = '005930'"
        assert market.rows(f"select close, volume, final {samsung.format('tb_bar')}") == [(200_500, 19_884_483, False)]
        assert market.rows(f"select close, volume, replaced_by {samsung.format('tb_bar_revision')}") == [
            (200_500, 19_262_511, 2)
        ]
        assert market.rows("select count(*) from tb_bar where final") == [(2878 - changed,)]
        market.audit("kr-price")

    def test_a_morning_without_closes_is_no_session(self, market: Market, shared_data: Path, folder: Path) -> None:
        self.put(shared_data, folder, "2026-03-19@47069f0")
        report = market.run("kr-price", as_of=EVENING, tickers=("005930",))
        assert (report.status, market.rows("select count(*) from tb_bar where source = 'krx'")) == ("failed", [(0,)])

    def test_wednesdays_file_under_thursdays_name_is_refused(
        self, market: Market, shared_data: Path, folder: Path
    ) -> None:
        self.put(shared_data, folder, "2026-03-18", "2026-03-18")
        self.put(shared_data, folder, "2026-03-18", "2026-03-19")
        market.run("kr-price", as_of="2026-03-18T08:00+00:00")
        some = market.rows("select ticker from tb_meta where iso_code = 'KR' order by marketcap desc limit 12")
        report = market.run("kr-price", as_of=EVENING, tickers=tuple(ticker for (ticker,) in some))
        assert any("is a copy of the session before: 100%" in note for note in report.notes)
        assert market.rows("select count(*) from tb_bar where trade_date = '2026-03-19' and source = 'krx'") == [(0,)]


def test_sundays_file_is_of_no_session(market: Market, shared_data: Path) -> None:
    """It repeats Friday's; Friday's own is not in the cache."""
    market.replay.load(shared_data)
    market.follow("005930", iso_code="KR", market="KOSPI")
    market.run("kr-price", as_of="2026-03-08T12:00+00:00")
    assert market.rows("select distinct trade_date::text, source from tb_bar") == [("2026-03-06", "yahoo")]


# Corporate actions --------------------------------------------------------------------------------------------------

# code, ex-date, close before, base price, how it ends, new shares for one old. What Naver made of them is not recorded:
# its histories are the sessions themselves with these factors taken out, cut to whole won.
MOVES_2026 = [
    ("084010", "2026-01-05", 19_600, 13_070, "action", 1.5),
    ("340930", "2026-01-07", 2100, 1616, "action", 2100 / 1616),
    ("406820", "2026-01-07", 16_210, 4055, "action", 4.0),
    ("010170", "2026-01-08", 2875, 2755, "action", 2875 / 2755),
    ("300120", "2026-01-08", 2280, 1902, "action", 2280 / 1902),
    ("010640", "2026-01-09", 3290, 2805, "action", 3290 / 2805),
    ("082800", "2026-01-09", 4630, 4400, "action", 4630 / 4400),
    ("266170", "2026-01-09", 342, 3420, "action", 0.1),
    ("060900", "2026-01-12", 1201, 600, "action", 2.0),
    ("000300", "2026-01-14", 1984, 4200, "action", 0.5),
    ("365590", "2026-01-15", 563, 2835, "action", 0.2),
    ("100250", "2026-01-16", 3185, 3070, "action", 3185 / 3070),
    ("071200", "2026-01-21", 5860, 5950, "no_action", 1),
    ("095910", "2026-01-21", 1181, 982, "action", 1181 / 982),
    ("001840", "2026-01-23", 1616, 2215, "action", 16_265_427 / 22_283_636),
    ("059120", "2026-01-28", 16_970, 8490, "action", 2.0),
    ("091810", "2026-01-28", 1521, 1449, "action", 1521 / 1449),
    ("062970", "2026-01-29", 3170, 2685, "action", 3170 / 2685),
    ("466910", "2026-01-30", 2135, 3100, "no_action", 1),
    ("451700", "2026-02-06", 2105, 2600, "no_action", 1),
    ("052670", "2026-02-09", 2080, 2080, "action", 1 / 1500),
    ("373170", "2026-02-09", 13_430, 4480, "action", 3.0),
    ("009810", "2026-02-10", 261, 1305, "action", 0.2),
    ("199550", "2026-02-10", 6890, 6490, "action", 6890 / 6490),
    ("182400", "2026-02-13", 3685, 3670, "open", 1),  # halted: nothing to restate before it trades
    ("482630", "2026-02-20", 40_700, 20_350, "action", 2.0),
]
MOVES_2023 = [
    ("131400", "2023-01-03", 953, 1865, "action", 0.5),
    ("396770", "2023-01-06", 2190, 2330, "no_action", 1),
    ("424760", "2023-01-06", 2135, 2435, "no_action", 1),
    ("086960", "2023-01-09", 7080, 1770, "action", 4.0),
    ("095700", "2023-01-11", 18_950, 14_600, "action", 18_950 / 14_600),
    ("311320", "2023-01-11", 22_450, 11_250, "action", 2.0),
    ("900140", "2023-01-16", 2810, 2645, "action", 2810 / 2645),
    ("007460", "2023-01-19", 572, 1720, "action", 1 / 3),
    ("141020", "2023-01-26", 1335, 1331, "open", 1),  # halted
    ("263540", "2023-01-26", 10_900, 10_880, "open", 1),  # halted
    ("138360", "2023-01-27", 4480, 2240, "action", 2.0),
    ("003070", "2023-01-31", 18_750, 17_930, "action", 18_932_713 / 25_210_438),
    ("003075", "2023-01-31", 36_400, 28_000, "action", 740_737 / 986_349),
    ("149980", "2023-02-03", 8370, 7700, "action", 8370 / 7700),
    ("388220", "2023-02-03", 2210, 2600, "no_action", 1),
    ("131400", "2023-02-07", 1910, 1686, "action", 1910 / 1686),
]


@pytest.mark.parametrize(("year", "expected"), [(2026, MOVES_2026), (2023, MOVES_2023)], ids=["2026", "2023"])
def test_every_base_price_that_was_set_anew(
    market: Market, shared_data: Path, folder: Path, year: int, expected: list[tuple[Any, ...]]
) -> None:
    """The shares in question, all SPACs (their closes lie off the tick), 20 large ones; a run every fifth session."""
    sessions = marcap.read(shared_data, year)
    spacs = sessions.loc[sessions["Name"].str.contains("스팩"), "Code"]
    chosen = marcap.only(sessions, [*(code for code, *_ in expected), *spacs], others=20)
    days = marcap.write_listings(folder, chosen)
    marcap.write_histories(folder, chosen, {(code, day): ratio for code, day, *_, ratio in expected})
    for day in [*days[::5], days[-1]]:
        market.run("kr-price", as_of=f"{day}T21:00+00:00")
    found = market.rows(
        "select ticker, v.ex_date::text, v.stored_close, v.base, v.state, a.value from tb_base_move as v "
        "join tb_meta using (meta_id) left join tb_action as a using (meta_id, ex_date) order by v.ex_date, ticker"
    )
    assert [row[:5] for row in found] == [row[:5] for row in expected]
    assert [row[5] for row in found] == [
        pytest.approx(row[5], rel=1e-9) if row[4] == "action" else None for row in expected
    ]
    assert market.rows("select count(*) from tb_bar_revision") == [(0,)]
    market.audit("kr-price")


class TestSamsungsSplitOf2018:
    """50 for 1 on 2018-05-04, after a halt of three sessions; Naver's history, recorded later, is cut to whole won."""

    @pytest.fixture(autouse=True)
    def _listings(self, market: Market, shared_data: Path, folder: Path) -> None:
        history = pd.read_csv(shared_data / "kr_daily" / "QuantKang-005930_D.csv", dtype={"date": str})
        week = history[history["date"].between("20180420", "20180510")].set_index("date")
        for day, row in week.iterrows():
            split = str(day) >= "20180504"
            ohlc = [int(row[name]) * (1 if split else 50) for name in ("open", "high", "low", "close")]
            halted = [0, 0, 0, ohlc[3]] if row["volume"] == 0 else ohlc
            stocks = 128_386_494 * (50 if split else 1)
            # the file's volume is restated as well
            share = ("005930", "Samsung", "KOSPI", *halted, int(row["volume"]) // (1 if split else 50))
            base = (53_000, stocks) if day == "20180504" else (ohlc[3], stocks) if day == "20180420" else ()
            self.write(folder, str(day), share, base, stocks)
        market.replay.load(folder, shared_data)
        self.days = [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in week.index]
        for day in [day for day in self.days if day <= "2018-05-04"]:
            market.run("kr-price", as_of=f"{day}T12:00+00:00")

    def write(self, folder: Path, day: str, share: tuple[Any, ...], base: tuple[int, ...], stocks: int) -> None:
        before = self.close if not base else base[0]
        write_krx(folder, f"{day[:4]}-{day[4:6]}-{day[6:]}", [(*share, before, stocks)])
        self.close = share[6]

    close = 0
    days: tuple[str, ...] | list[str] = ()

    def test_it_is_found_and_measured(self, market: Market) -> None:
        assert market.rows("select ex_date::text, value, evidence ->> 'stocks_after' from tb_action") == [
            ("2018-05-04", 50.0, "6419324700.0")
        ]
        assert market.rows("select ex_date::text, state, stored_close, base from tb_base_move") == [
            ("2018-05-04", "action", 2_650_000.0, 53_000.0)
        ]

    def test_the_price_is_continuous_and_the_bars_are_as_traded(self, market: Market) -> None:
        rows = market.rows(
            "select b.trade_date::text, b.close, p.close, round(p.gross_return::numeric, 4) from tb_bar as b "
            "join tb_price as p using (meta_id, trade_date) order by 1"
        )
        assert [row[:3] for row in rows[-6:]] == [
            ("2018-04-26", 2_607_000.0, 52_140.0),
            ("2018-04-27", 2_650_000.0, 53_000.0),
            ("2018-04-30", 2_650_000.0, 53_000.0),
            ("2018-05-02", 2_650_000.0, 53_000.0),
            ("2018-05-03", 2_650_000.0, 53_000.0),
            ("2018-05-04", 51_900.0, 51_900.0),
        ]
        assert float(rows[-1][3]) == -0.0208

    def test_navers_cut_history_changes_nothing(self, market: Market) -> None:
        """Its high of 2018-04-27 is 53,639, where 2,682,000 / 50 is 53,640."""
        before = stored(market)["tb_bar"]
        report = market.run("kr-price", as_of="2018-05-04T12:00+00:00", full_refresh=True)
        assert report.rows.changed == 0
        assert [row for row in stored(market)["tb_bar"] if "2018-04-20" <= row[1] <= "2018-05-04"] == before

    @pytest.mark.parametrize("tickers", [(), ("005930",)], ids=["the market", "one ticker"])
    def test_one_run_over_the_range_gives_what_thirteen_daily_runs_gave(
        self, market: Market, tickers: tuple[str, ...]
    ) -> None:
        for day in self.days[-3:]:
            market.run("kr-price", as_of=f"{day}T12:00+00:00")
        expected = stored(market)
        assert (len(expected["tb_bar"]), len(expected["tb_action"])) == (13, 1)
        forget(market)
        report = market.run(
            "kr-price", as_of="2018-05-10T12:00+00:00", start="2018-04-20", end="2018-05-10", tickers=tickers
        )
        assert (report.exit_code, report.requests) == (0, 14)  # the listings, and Naver about the one base price
        assert stored(market) == expected
        market.audit("kr-price")
