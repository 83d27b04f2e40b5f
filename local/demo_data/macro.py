"""US macro series: real values that packages carry, each with the day on which its release would have been seen.

A series has a FRED id only where unit, frequency and definition are FRED's own. Where the package kept something else
(the last month of each quarter, a quarter's mean), the id begins with DEMO, is none of FRED's, and the title says so.

Values are what the package's author downloaded once: one vintage per observation, no revision is made up. Sources:
``arch.data`` ("From the FRED database", up to 2019-01-03; its columns are FRED ids, except VIX, which is FRED's
daily CBOE close with FRED's holes, and AAA and BAA, Moody's monthly yields as FRED has them since 1919) and
``statsmodels.datasets.macrodata`` (public domain; FRED and BLS as of 2009-12-15, in chained 2005 dollars).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import cache
from typing import Final

import numpy as np
import pandas as pd

from local.demo_data.dates import next_working_day, weeks_up_to_end, working_day, years_up_to_end


class Frequency(Enum):
    """How often a series has a value; the value is FRED's ``frequency_short``, the title its ``frequency``."""

    DAILY = "D"
    MONTHLY = "M"
    QUARTERLY = "Q"


# Days from the end of the period to the release, then on to a working day. GDP: BEA's advance estimate comes about 30
# days after the quarter (bea.gov/news/schedule). Prices and employment: BLS releases about the middle of the next
# month (bls.gov/schedule). Daily rates and prices: the next working day (fred.stlouisfed.org, H.15 and EIA releases).
RELEASE_LAG: Final = {Frequency.QUARTERLY: timedelta(days=30), Frequency.MONTHLY: timedelta(days=15)}

# Enough daily history to be useful, and for oil more vintage dates than FRED serves in one call (2,000).
DAILY_YEARS: Final = 10

SAAR: Final = "Seasonally Adjusted Annual Rate"
ADJUSTED: Final = "Seasonally Adjusted"
UNADJUSTED: Final = "Not Seasonally Adjusted"
CHAINED: Final = "Billions of Chained 2005 Dollars"
NOT_FRED: Final = "(demonstration id, not a FRED series)"


@dataclass(frozen=True)
class Series:
    """What a series is, in FRED's words, and where its values come from."""

    id: str
    title: str
    frequency: Frequency
    units: str
    adjustment: str
    decimals: int  # as many as the package carries
    source: str
    load: Callable[[], "pd.Series[float]"]  # indexed by the first day of each period, ascending


@dataclass(frozen=True)
class Release:
    """One observation and its only vintage."""

    period: date
    released: date
    value: str  # FRED's text: "." where the source has a hole


def releases(series: Series, redate: bool) -> list[Release]:
    """The observations of ``series``, ascending; with ``redate`` moved so that the last period reaches 2027-12."""
    values = series.load()
    days = [stamp.date() for stamp in pd.DatetimeIndex(values.index)]
    if series.frequency is Frequency.DAILY:
        first = days[-1].replace(year=days[-1].year - DAILY_YEARS)
        values, days = values[[day > first for day in days]], [day for day in days if day > first]
    if redate:
        days = _redated(series.frequency, days)
    return [
        Release(day, _released(series.frequency, day), "." if np.isnan(value) else f"{value:.{series.decimals}f}")
        for day, value in zip(days, values.to_numpy(), strict=True)
    ]


def _redated(frequency: Frequency, days: list[date]) -> list[date]:
    if frequency is Frequency.DAILY:
        weeks = weeks_up_to_end(days[-1])
        return [day + weeks for day in days]
    years = years_up_to_end(days[-1])
    return [day.replace(year=day.year + years) for day in days]


def _released(frequency: Frequency, period: date) -> date:
    if frequency is Frequency.DAILY:
        return next_working_day(period)
    months = 3 if frequency is Frequency.QUARTERLY else 1
    after = period.month - 1 + months
    next_period = date(period.year + after // 12, after % 12 + 1, 1)
    return working_day(next_period - timedelta(days=1) + RELEASE_LAG[frequency])


def _arch(dataset: str, column: str) -> Callable[[], "pd.Series[float]"]:
    def load() -> "pd.Series[float]":
        from importlib import import_module

        frame: pd.DataFrame = import_module(f"arch.data.{dataset}").load()
        return frame[column]

    return load


def _macrodata(column: str) -> Callable[[], "pd.Series[float]"]:
    def load() -> "pd.Series[float]":
        return _macrodata_frame()[column]

    return load


@cache
def _macrodata_frame() -> pd.DataFrame:
    from statsmodels.datasets.macrodata.data import load_pandas

    frame: pd.DataFrame = load_pandas().data
    quarters = pd.DataFrame({"year": frame["year"], "month": frame["quarter"] * 3 - 2, "day": 1}).astype(int)
    return frame.set_index(pd.DatetimeIndex(pd.to_datetime(quarters)))


def _quarterly(id: str, title: str, column: str, units: str, adjustment: str, decimals: int) -> Series:  # noqa: A002
    source = f"statsmodels macrodata.{column}"
    return Series(id, title, Frequency.QUARTERLY, units, adjustment, decimals, source, _macrodata(column))


SERIES: Final = (
    Series(
        "CPILFESL",
        "Consumer Price Index for All Urban Consumers: All Items Less Food and Energy in U.S. City Average",
        Frequency.MONTHLY,
        "Index 1982-1984=100",
        ADJUSTED,
        3,
        "arch core_cpi.CPILFESL",
        _arch("core_cpi", "CPILFESL"),
    ),
    Series(
        "DCOILWTICO",
        "Crude Oil Prices: West Texas Intermediate (WTI) - Cushing, Oklahoma",
        Frequency.DAILY,
        "Dollars per Barrel",
        UNADJUSTED,
        2,
        "arch wti.DCOILWTICO",
        _arch("wti", "DCOILWTICO"),
    ),
    Series(
        "VIXCLS",
        "CBOE Volatility Index: VIX",
        Frequency.DAILY,
        "Index",
        UNADJUSTED,
        2,
        "arch vix.vix",
        _arch("vix", "vix"),
    ),
    Series(
        "AAA",
        "Moody's Seasoned Aaa Corporate Bond Yield",
        Frequency.MONTHLY,
        "Percent",
        UNADJUSTED,
        2,
        "arch default.AAA",
        _arch("default", "AAA"),
    ),
    Series(
        "BAA",
        "Moody's Seasoned Baa Corporate Bond Yield",
        Frequency.MONTHLY,
        "Percent",
        UNADJUSTED,
        2,
        "arch default.BAA",
        _arch("default", "BAA"),
    ),
    _quarterly("GDPC1", "Real Gross Domestic Product", "realgdp", CHAINED, SAAR, 3),
    _quarterly("PCECC96", "Real Personal Consumption Expenditures", "realcons", CHAINED, SAAR, 1),
    _quarterly("GPDIC1", "Real Gross Private Domestic Investment", "realinv", CHAINED, SAAR, 3),
    _quarterly("FGCEC1", "Real Federal Consumption Expenditures and Gross Investment", "realgovt", CHAINED, SAAR, 3),
    _quarterly("DPIC96", "Real Disposable Personal Income", "realdpi", CHAINED, SAAR, 1),
    _quarterly(
        "DEMOCPIEOQ",
        f"Consumer Price Index, All Items, last month of each quarter {NOT_FRED}",
        "cpi",
        "Index 1982-1984=100",
        ADJUSTED,
        3,
    ),
    _quarterly(
        "DEMOM1EOQ", f"M1 Money Stock, end of each quarter {NOT_FRED}", "m1", "Billions of Dollars", ADJUSTED, 1
    ),
    _quarterly(
        "DEMOTB3AVGQ",
        f"3-Month Treasury Bill Secondary Market Rate, quarterly mean {NOT_FRED}",
        "tbilrate",
        "Percent",
        UNADJUSTED,
        2,
    ),
    _quarterly(
        "DEMOUNRATEQ",
        f"Unemployment Rate, quarterly (BLS LNS14000000Q) {NOT_FRED}",
        "unemp",
        "Percent",
        ADJUSTED,
        1,
    ),
    _quarterly(
        "DEMOPOPEOQ",
        f"Total Population including Armed Forces Overseas, end of each quarter {NOT_FRED}",
        "pop",
        "Millions of Persons",
        UNADJUSTED,
        3,
    ),
)
