"""A past range filled afterwards gives what the daily runs would have given.

Three databases: daily runs, each on its own evening; the same runs on one later day, as ``airflow backfill`` makes
them, with the logical date as their instant and the source's present answer; one run with ``--start`` and ``--end``.
Readers find the same in all of them. Bars are compared in a common basis, which is what ``tb_price`` is: a daily run
quotes a bar in the shares of its own evening, a run over a range in those of the range's end.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from include.insight_invest.jobs import JOBS
from include.insight_invest.report import Report
from include.insight_invest.runner import RunOptions, run
from include.insight_invest.settings import Settings
from tests.backfill.stored import forget, stored
from tests.fixtures.market import Market
from tests.folders import write_fred, write_krx, write_naver
from tests.model.world import DAYS, Share

SESSIONS = DAYS[:9]  # 2026-01-05 to 2026-01-15
LATER = "2026-01-20"  # the day of the backfill: two splits later than the range's first sessions, one after its end

# Traded at 400; 4:1 within the range, 2:1 after its end; two dividends, one on the old shares; provisional evenings.
ACME = Share(
    bars=tuple(
        (close * 0.99, close * 1.01, close * 0.98, close, 4_003 + 8 * day)
        for day, close in enumerate([400.0, 404, 402, 101, 102, 100, 99, 98, 100, 101, 50, 51])
    ),
    splits={3: (4, 1), 10: (2, 1)},
    dividends={2: 1.6, 6: 0.4},
    provisional={1: 2, 4: 5},  # not the range's last: nobody had read that one again
)
BOLT = Share(
    bars=tuple((50.0 + day, 52.0 + day, 49.0 + day, 51.0 + day, 100 + day) for day in range(len(DAYS))),
    late={5: 6},
)
# Korea as traded: one share to which nothing happens, one with a bonus issue of one for one on the fifth session, one
# that is listed on the fourth, one that leaves after the second.
KR_SPLIT = 4
KR_BONUS = (16_900, 17_100, 17_000, 16_970, 8600, 8700, 8640, 8800, 8750)
# base_date, realtime_start, value: each known from the second on, one of them after the range
RELEASES = [
    ("2025-10-01", "2025-12-05", "3.0"),
    ("2025-10-01", "2026-01-07", "3.1"),
    ("2025-11-01", "2026-01-09", "."),
    ("2025-12-01", "2026-01-14", "3.3"),
    ("2025-12-01", "2026-01-19", "3.4"),
]


def evening(job: str, day: str) -> datetime:
    """The scheduled instant of the job's run for the session of ``day``."""
    hour = {"us-price": "09:00", "kr-price": "21:00", "macro": "23:00"}[job]
    after = 1 if job == "us-price" else 0
    return datetime.fromisoformat(f"{day}T{hour}+00:00") + timedelta(days=after)


class World:
    """The three markets as their sources answer on any day."""

    def __init__(self, market: Market) -> None:
        self.market = market
        market.rows("truncate tb_meta cascade")
        market.follow("ACME", "BOLT")
        write_fred(market.folder, "RATE", RELEASES)

    def run(
        self, job: str, today: str, *, as_of: datetime | None = None, settings: Settings | None = None, **options: Any
    ) -> Report:
        """``job`` on the day after the session ``today``, looking at the world as of ``as_of`` (None: of that day)."""
        self.answer(today)
        self.market.replay.move_clock(evening(job, today))
        chosen = RunOptions(as_of=as_of or evening(job, today), **options)
        return run(JOBS[job], chosen, settings or self.market.settings())

    def answer(self, today: str) -> None:
        """Let the sources answer as on the evening of ``today``."""
        number = DAYS.index(today)
        ACME.write(self.market.folder, "ACME", number)
        BOLT.write(self.market.folder, "BOLT", number)
        self._korea(number)
        self.market.replay.load(self.market.folder)
        self.market.replay.move_clock(evening("us-price", today))

    def _korea(self, number: int) -> None:
        folder, until = self.market.folder, min(number, len(SESSIONS) - 1)
        for place, day in enumerate(SESSIONS[: until + 1]):
            write_krx(folder, day, korean_listing(place))
        restated: dict[str, tuple[int, int, int, int, int]] = {}
        for place, day in enumerate(SESSIONS[: until + 1]):
            ratio = 2 if place < KR_SPLIT <= until else 1
            opened, high, low, close, volume = korean_bar(KR_BONUS[place], place)
            restated[day] = (opened // ratio, high // ratio, low // ratio, close // ratio, volume)
        write_naver(folder, "059120", restated)
        (folder / "naver" / "actions.csv").write_text(f"code,ex_date,ratio\n059120,{SESSIONS[KR_SPLIT]},2\n")

    def found(self) -> dict[str, list[tuple[Any, ...]]]:
        """What readers find, rounded to what a quote restated by a 32-bit float can tell."""
        rows = self.market.rows
        return {
            "tb_price": rows(
                "select ticker, trade_date::text, close::numeric(20, 4), adj_close::numeric(20, 4), "
                "open::numeric(20, 4), high::numeric(20, 4), low::numeric(20, 4), gross_return::numeric(20, 7), volume "
                "from tb_price join tb_meta using (meta_id) order by 1, 2"
            ),
            "tb_action": rows(
                "select ticker, ex_date::text, kind, (value / case when kind = 'split' then 1 else (select "
                "insight_product(s.value) from tb_action as s where s.meta_id = a.meta_id and s.kind = 'split' "
                "and s.ex_date > a.basis_date) end)::numeric(20, 6) "
                "from tb_action as a join tb_meta using (meta_id) order by 1, 2, 3"
            ),
            "tb_macro_data": rows(
                "select fred, base_date::text, value from tb_macro_data join tb_macro using (macro_id) order by 1, 2"
            ),
            "tb_macro_vintage": rows(
                "select fred, base_date::text, realtime_start::text, value "
                "from tb_macro_vintage join tb_macro using (macro_id) order by 1, 2, 3"
            ),
        }


def korean_bar(close: int, place: int) -> tuple[int, int, int, int, int]:
    return close - 20, close + 50, close - 60, close, 500 + 37 * place


def korean_listing(place: int) -> list[tuple[Any, ...]]:
    """KRX's listing of the session ``place``."""
    bonus = ("059120", "Bonus", "KOSDAQ", *korean_bar(KR_BONUS[place], place))
    before = 8490 if place == KR_SPLIT else KR_BONUS[max(place - 1, 0)]
    shares: list[tuple[Any, ...]] = [
        ("005930", "Samsung", "KOSPI", *korean_bar(1000 + 10 * place, place)),
        (*bonus, before, 200 if place >= KR_SPLIT else 100),
    ]
    if place >= 3:
        shares.append(("000660", "New", "KOSPI", *korean_bar(5000 - 10 * place, place)))
    if place <= 1:
        shares.append(("247540", "Leaves", "KOSDAQ", 0, 0, 0, 2050, 0))
    return shares


@pytest.fixture
def world(market: Market) -> Callable[[], World]:
    def fresh() -> World:
        forget(market)
        market.rows("truncate tb_macro_vintage")
        return World(market)

    return fresh


def daily(world: World, job: str, days: Iterable[str] = SESSIONS) -> list[Report]:
    """Every evening its run."""
    return [world.run(job, day) for day in days]


def backfill(world: World, job: str, days: Iterable[str] = SESSIONS, today: str = LATER) -> list[Report]:
    """The same runs, all of them on a later day."""
    return [world.run(job, today, as_of=evening(job, day)) for day in days]


@pytest.mark.parametrize("job", ["us-price", "macro"])
def test_a_backfill_gives_what_the_daily_runs_gave(world: Callable[[], World], job: str) -> None:
    at_the_time, afterwards = world(), None
    assert [report.exit_code for report in daily(at_the_time, job)] == [0] * len(SESSIONS)
    expected = at_the_time.found()
    afterwards = world()
    assert [report.exit_code for report in backfill(afterwards, job)] == [0] * len(SESSIONS)
    assert afterwards.found() == expected
    afterwards.market.audit(job)


def test_one_run_over_the_range_gives_the_same(world: Callable[[], World]) -> None:
    at_the_time = world()
    daily(at_the_time, "us-price")
    expected = at_the_time.found()
    ranged = world()
    report = ranged.run("us-price", LATER, start=date.fromisoformat(SESSIONS[0]), end=date.fromisoformat(SESSIONS[-1]))
    assert report.exit_code == 0
    assert ranged.found() == expected


def test_backfill_after_the_daily_runs_changes_nothing(world: Callable[[], World]) -> None:
    """And asks nothing where every bar of a run's window is stored and final."""
    both = world()
    daily(both, "us-price", DAYS[:11])
    before = both.market.dump("tb_job_run")
    reports = backfill(both, "us-price")
    assert both.market.dump("tb_job_run") == before
    assert [report.requests for report in reports] == [0] * len(SESSIONS)
    assert reports[-1].notes == ["2 tickers not asked for: 2026-01-07 to 2026-01-15 is stored and final"]


def test_korea_after_the_fact_comes_from_the_dated_listings(world: Callable[[], World]) -> None:
    at_the_time = world()
    daily(at_the_time, "kr-price")
    expected = at_the_time.found()
    assert [row[:3] for row in expected["tb_action"]] == [("059120", SESSIONS[KR_SPLIT], "split")]
    afterwards = world()
    backfill(afterwards, "kr-price", today=SESSIONS[-1])
    assert afterwards.found() == expected
    assert afterwards.market.rows("select distinct source from tb_bar") == [("krx",)]


@pytest.mark.parametrize(
    ("before", "budget"),
    [(0, 20_000), (KR_SPLIT, 20_000), (0, KR_SPLIT), (KR_SPLIT, 6)],
    ids=["empty database", "begins with the split", "resumed with the split", "resumed to ask about the split"],
)
def test_a_korean_range_gives_the_same(world: Callable[[], World], before: int, budget: int) -> None:
    """Bar for bar, also where the range begins on the day of the split, and where it was resumed on it."""
    at_the_time = world()
    assert [report.exit_code for report in daily(at_the_time, "kr-price")] == [0] * len(SESSIONS)
    expected = stored(at_the_time.market)
    assert [row[:2] for row in expected["tb_action"]] == [("059120", SESSIONS[KR_SPLIT])]
    ranged = world()
    daily(ranged, "kr-price", SESSIONS[:before])
    wish: dict[str, Any] = {"start": date.fromisoformat(SESSIONS[before]), "end": date.fromisoformat(SESSIONS[-1])}
    settings = ranged.market.settings(request_budget=budget)
    codes = [ranged.run("kr-price", SESSIONS[-1], settings=settings, **wish).exit_code]
    while codes[-1] == 3:
        codes.append(ranged.run("kr-price", SESSIONS[-1], **wish).exit_code)
    assert codes == ([0] if budget == 20_000 else [3, 0])
    assert stored(ranged.market) == expected
    ranged.market.audit("kr-price")


def test_a_korean_range_of_one_ticker_has_its_split(world: Callable[[], World]) -> None:
    at_the_time = world()
    daily(at_the_time, "kr-price")
    expected = stored(at_the_time.market)
    ranged = world()
    start, end = date.fromisoformat(SESSIONS[2]), date.fromisoformat(SESSIONS[6])
    report = ranged.run("kr-price", SESSIONS[-1], start=start, end=end, tickers=("059120",))
    assert (report.exit_code, report.requests) == (0, 6)  # five sessions, and Naver about the one share
    found = stored(ranged.market)
    # its first bar has no return
    assert found["tb_price"][1:] == [row for row in expected["tb_price"] if row[0] == "059120"][3:7]
    assert [row[:2] for row in found["tb_action"]] == [("059120", SESSIONS[KR_SPLIT])]
