"""What the victims are asked for: small markets of every kind of change, and one load that is big.

A scenario is some mornings, in order. On each the world is written as the sources have it that day, and one job runs;
the run of the last morning is the one that is disturbed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import numpy as np

from include.insight_invest import sessions
from tests.fixtures.market import ACME, BOLT, THURSDAY_KR, WEDNESDAY_KR
from tests.folders import Bar, write_chart, write_fred, write_krx, write_listing, write_naver

THURSDAY, FRIDAY, SATURDAY = (f"2026-01-{day:02}T12:00+00:00" for day in (8, 9, 10))
DAYS: Final = ("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09")
# Two batches of Yahoo's with ACME and BOLT.
MANY: Final = tuple(f"T{first}{second}" for first in "ABC" for second in "ABCDEFGHI")
LONG: Final = ("LONA", "LONB", "LONC")
THIRTY_YEARS: Final = (date(1996, 1, 2), date(2026, 1, 7))


@dataclass(frozen=True)
class Morning:
    """``job`` as of an instant, in the world that ``write`` puts into a folder."""

    job: str
    as_of: str
    write: Callable[[Path], None]
    options: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command line."""
        return ("--job", self.job, "--as-of", self.as_of, *self.options)

    @property
    def clock(self) -> datetime:
        """The instant."""
        return datetime.fromisoformat(self.as_of)


@dataclass(frozen=True)
class Scenario:
    """``tickers`` and ``series`` are followed from the start. ``only``: of which events points are made, all if empty.

    ``shows`` are tables that the disturbed run must have written to: a scenario in which it does not shows nothing.
    """

    name: str
    mornings: tuple[Morning, ...]
    tickers: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()

    @property
    def last(self) -> Morning:
        """The morning of the run that is disturbed."""
        return self.mornings[-1]


def at(*closes: float | None, volume: int = 100) -> dict[str, Bar]:
    """Bars of one price a day, from Monday, 5 January on; None is a day without a bar."""
    return {
        day: (close, close, close, close, volume + place)
        for place, (day, close) in enumerate(zip(DAYS, closes, strict=False))
        if close is not None
    }


def _us_first(folder: Path) -> None:
    write_chart(folder, "ACME", ACME, splits={"2026-01-07": (4, 1)}, dividends={"2026-01-06": 0.05})
    write_chart(folder, "BOLT", BOLT)


def _us_thursday(folder: Path) -> None:
    """Until Wednesday; CORK's Tuesday is missing."""
    _us_first(folder)
    write_chart(folder, "CORK", at(30.0, None, 31.0))
    write_chart(folder, "DAMP", at(50.0, 51.0, 52.0))
    write_chart(folder, "EVEN", at(20.0, 20.5, 21.0))


def _us_saturday(folder: Path) -> None:
    """ACME splits again and pays, BOLT's Wednesday is corrected, CORK's Tuesday is there, DAMP's Friday is in pence,
    EVEN's is only in Nasdaq's listing, which has another close of BOLT than Yahoo."""
    acme = {day: (*(price / 2 for price in bar[:4]), bar[4] * 2) for day, bar in ACME.items()}
    acme["2026-01-09"] = (6.0, 6.5, 5.75, 6.25, 4400)
    write_chart(
        folder,
        "ACME",
        acme,  # type: ignore[arg-type]
        splits={"2026-01-07": (4, 1), "2026-01-09": (2, 1)},
        dividends={"2026-01-06": 0.025, "2026-01-08": 0.04},
    )
    bolt = BOLT | {"2026-01-07": (51.5, 53.25, 51.0, 52.25, 350), "2026-01-09": (53.5, 54.0, 53.0, 53.75, 410)}
    write_chart(folder, "BOLT", bolt)
    write_chart(folder, "CORK", at(30.0, 30.5, 31.0, 31.5, 32.0))
    write_chart(folder, "DAMP", at(50.0, 51.0, 52.0, 53.0, 5400.0))
    write_chart(folder, "EVEN", at(20.0, 20.5, 21.0, 21.5))
    listed = [("ACME", "$6.25", "0.25", "4400"), ("BOLT", "$55.00", "1.50", "410"), ("CORK", "$32.00", "0.50", "104")]
    listed += [("DAMP", "$54.00", "1.00", "104"), ("EVEN", "$22.00", "0.50", "104")]
    write_listing(folder, *listed)


def _us_many(folder: Path) -> None:
    _us_first(folder)
    for ticker in MANY:
        write_chart(folder, ticker, BOLT)


def _us_long(folder: Path) -> None:
    """A walk of thirty years for each of LONG: 22,600 bars."""
    days = [str(day) for day in sessions.sessions("XNYS", *THIRTY_YEARS)]
    for seed, ticker in enumerate(LONG):
        close = 50 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, len(days)))).round(4)
        bars: dict[str, Bar] = {
            day: (price, price * 1.01, price * 0.99, price, 1000 + place)
            for place, (day, price) in enumerate(zip(days, close.tolist(), strict=True))
        }
        write_chart(folder, ticker, bars)


def _kr(day: str, *shares: tuple[object, ...]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        write_krx(folder, day, shares)

    return write


def _kr_wednesday(folder: Path) -> None:
    """059120 issues one share for one, which Naver has restated; 005930's Tuesday is corrected; 111110 is new, 222220
    is gone, 333330 moves by more than the market's limit."""
    write_naver(
        folder,
        "059120",
        {
            "2026-01-05": (8450, 8600, 8400, 8500, 500),
            "2026-01-06": (8550, 8600, 8450, 8485, 600),
            "2026-01-07": (9140, 9900, 9000, 9880, 1500),
        },
    )
    (folder / "naver" / "actions.csv").write_text("code,ex_date,ratio\n059120,2026-01-07,2\n")
    _kr("2026-01-06", *_KR_TUESDAY[:1], ("005930", "Samsung", "KOSPI", 1000, 1100, 900, 1050, 96), *_KR_TUESDAY[2:])(
        folder
    )
    write_krx(
        folder,
        "2026-01-07",
        [
            ("059120", "Bonus", "KOSDAQ", 9140, 9900, 9000, 9880, 1500, 8490),
            ("005930", "Samsung", "KOSPI", 1050, 1150, 1000, 1100, 7),
            ("111110", "New", "KOSDAQ", 500, 510, 490, 505, 40),
            ("333330", "Wild", "KOSPI", 100, 190, 100, 180, 30, 100),
        ],
    )


_KR_MONDAY = (
    ("059120", "Bonus", "KOSDAQ", 16_900, 17_200, 16_800, 17_000, 500),
    ("005930", "Samsung", "KOSPI", 1000, 1100, 900, 1050, 5),
    ("222220", "Gone", "KOSDAQ", 700, 710, 690, 705, 50),
    ("333330", "Wild", "KOSPI", 100, 101, 99, 100, 30),
)
_KR_TUESDAY = (
    ("059120", "Bonus", "KOSDAQ", 17_100, 17_200, 16_900, 16_970, 600),
    ("005930", "Samsung", "KOSPI", 1000, 1100, 900, 1050, 6),
    ("222220", "Gone", "KOSDAQ", 700, 710, 690, 705, 51),
    ("333330", "Wild", "KOSPI", 100, 101, 99, 100, 31),
)


def _kr_range(folder: Path) -> None:
    write_krx(folder, "2026-01-05", _KR_MONDAY)
    write_krx(folder, "2026-01-06", _KR_TUESDAY)
    write_krx(folder, "2026-01-07", WEDNESDAY_KR)
    write_krx(folder, "2026-01-08", THURSDAY_KR)


def _macro(folder: Path, **releases: list[tuple[str, str, str]]) -> None:
    for name, rows in releases.items():
        write_fred(folder, name, rows)


_RATE = [
    ("2025-10-01", "2025-11-05", "3.0"),
    ("2025-10-01", "2025-12-05", "3.1"),
    ("2025-11-01", "2025-12-05", "."),
    ("2025-12-01", "2026-01-07", "3.3"),
]
_JOBS = [(f"2025-{month:02}-01", f"2025-{month + 1:02}-03", str(100 + month)) for month in range(1, 12)]


def _macro_first(folder: Path) -> None:
    """QUIET is silent for a year, NONE is unknown to FRED."""
    _macro(folder, RATE=_RATE, JOBS=_JOBS, QUIET=[("2024-10-01", "2024-11-01", "7.0")])


def _macro_friday(folder: Path) -> None:
    """RATE's newest value is contradicted and another one is added, JOBS has news and a revision, NONE is there."""
    _macro(
        folder,
        RATE=[*_RATE[:3], ("2025-12-01", "2026-01-07", "3.4"), ("2025-11-01", "2026-01-09", "3.2")],
        JOBS=[*_JOBS, ("2025-11-01", "2026-01-09", "112"), ("2025-12-01", "2026-01-09", "113")],
        NONE=[("2025-12-01", "2026-01-08", "1.0")],
    )


_US = ("ACME", "BOLT", "CORK", "DAMP", "EVEN")
_SERIES = ("RATE", "JOBS", "QUIET", "NONE")
_RANGE = ("--start", "2026-01-05", "--end", "2026-01-07")

SCENARIOS: Final[Mapping[str, Scenario]] = {
    one.name: one
    for one in (
        Scenario(
            "us-first", (Morning("us-price", THURSDAY, _us_first),), ("ACME", "BOLT"), shows=("tb_bar", "tb_action")
        ),
        Scenario(
            "us-changes",
            (Morning("us-price", THURSDAY, _us_thursday), Morning("us-price", SATURDAY, _us_saturday)),
            _US,
            shows=(
                "tb_bar",
                "tb_bar_revision",
                "tb_action",
                "tb_gap",
                "tb_quarantine",
                "tb_disagreement",
            ),
        ),
        Scenario(
            "us-range",
            (Morning("us-price", THURSDAY, _us_many, _RANGE),),
            ("ACME", "BOLT", *MANY),
            shows=("tb_bar", "tb_action"),
        ),
        Scenario(
            "us-history",
            (Morning("us-price", THURSDAY, _us_long),),
            LONG,
            only=("start_copy_gen", "copy_to", "copy_end"),
            shows=("tb_bar",),
        ),
        Scenario(
            "kr-changes",
            (
                Morning("kr-price", "2026-01-05T12:00+00:00", _kr("2026-01-05", *_KR_MONDAY)),
                Morning("kr-price", "2026-01-06T12:00+00:00", _kr("2026-01-06", *_KR_TUESDAY)),
                Morning("kr-price", "2026-01-07T12:00+00:00", _kr_wednesday),
            ),
            shows=("tb_meta", "tb_bar", "tb_bar_revision", "tb_action", "tb_quarantine", "tb_absence", "tb_base_move"),
        ),
        Scenario(
            "kr-range",
            (Morning("kr-price", THURSDAY, _kr_range, _RANGE),),
            shows=("tb_meta", "tb_bar", "tb_listing"),
        ),
        Scenario(
            "macro-first", (Morning("macro", THURSDAY, _macro_first),), series=_SERIES, shows=("tb_macro_vintage",)
        ),
        Scenario(
            "macro-changes",
            (Morning("macro", THURSDAY, _macro_first), Morning("macro", SATURDAY, _macro_friday)),
            series=_SERIES,
            shows=("tb_macro_vintage", "tb_macro_revision", "tb_macro"),
        ),
    )
}
