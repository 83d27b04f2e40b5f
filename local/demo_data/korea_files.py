"""Writes the simulated Korean market: KRX snapshots, and Naver histories as quoted on the last day."""

import csv
from bisect import bisect_left
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from local.demo_data.korea import SNAPSHOTS_FROM, Market, market
from local.demo_data.korea_rules import Won, limits

MARKET_IDS: Final = {"KOSPI": "STK", "KOSDAQ": "KSQ", "KOSDAQ GLOBAL": "KSQ", "KONEX": "KNX"}
DEPARTMENTS: Final = {"KOSPI": "", "KOSDAQ": "중견기업부", "KOSDAQ GLOBAL": "우량기업부", "KONEX": "일반기업부"}

# The columns of the KRX cache's files, its spelling of "ChagesRatio" included.
COLUMNS: Final = (
    "", "Code", "ISU_CD", "Name", "Market", "Dept", "Close", "ChangeCode", "Changes", "ChagesRatio", "Open", "High",
    "Low", "Volume", "Amount", "Marcap", "Stocks", "MarketId",
)  # fmt: skip

NAVER_HEAD: Final = (
    '<?xml version="1.0" encoding="EUC-KR" ?>\n\n<protocol>\n\n\n\n\t\n\t\n'
    '\t\t\t<chartdata symbol="{code}" name="{name}" count="{count}" timeframe="day" precision="0" '
    'origintime="{origin}">\n\t\t\t\n'
)
NAVER_ITEM: Final = '\t\t\t\t<item data="%s|%d|%d|%d|%d|%d" />\n\t\t\t\n'
NAVER_TAIL: Final = "\t\n\n\n\t</chartdata>\n</protocol>\n"


def write(folder: Path) -> None:
    """Writes ``krx_listing`` and ``naver`` into ``folder``."""
    simulated = market()
    (folder / "krx_listing").mkdir()
    (folder / "naver").mkdir()
    codes = change_codes(simulated)
    for session in range(bisect_left(simulated.days, SNAPSHOTS_FROM), len(simulated.days)):
        path = folder / "krx_listing" / f"krx-{simulated.days[session]}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            rows.writerows(_snapshot(simulated, codes, session))
    for ticker, code in enumerate(simulated.codes):
        (folder / "naver" / f"{code}.sise.xml").write_bytes(_history(simulated, ticker).encode("euc-kr"))
    (folder / "naver" / "actions.csv").write_text(_actions(simulated), encoding="utf-8")


def change_codes(simulated: Market) -> NDArray[np.int64]:
    """KRX's ChangeCode: 0 halted, 1 up, 2 down, 3 unchanged, 4 at the upper limit, 5 at the lower."""
    lowest, highest = limits(simulated.base, simulated.konex, simulated.first_day)
    close, base = simulated.close, simulated.base
    conditions = [simulated.halted, close == highest, close == lowest, close > base, close < base]
    return np.select(conditions, [0, 4, 5, 1, 2], 3)


def later_splits(simulated: Market) -> tuple[Won, Won]:
    """For each session the product of the splits after it: (new shares, old shares), as whole numbers."""

    def product(factors: Won) -> Won:
        later = np.ones_like(factors)
        later[:-1] = np.cumprod(factors[:0:-1], axis=0)[::-1]
        return later

    return product(simulated.new_shares), product(simulated.old_shares)


def _snapshot(simulated: Market, codes: NDArray[np.int64], session: int) -> list[tuple[Any, ...]]:
    """The listed tickers of one session, the largest company first."""
    close, shares = simulated.close[session], simulated.shares[session]
    change = close - simulated.base[session]
    columns = [
        codes[session], change, np.round(change / simulated.base[session] * 100, 2), simulated.open[session],
        simulated.high[session], simulated.low[session], simulated.volume[session], simulated.amount[session],
        close * shares, shares,
    ]  # fmt: skip
    listed = np.flatnonzero(simulated.listed[session])
    order = listed[np.argsort(-(close * shares)[listed], kind="stable")].tolist()
    values = list(zip(close.tolist(), *(column.tolist() for column in columns), strict=True))
    return [
        (
            rank, simulated.codes[k], simulated.isins[k], simulated.names[k], simulated.boards[k],
            DEPARTMENTS[simulated.boards[k]], *values[k], MARKET_IDS[simulated.boards[k]],
        )
        for rank, k in enumerate(order)
    ]  # fmt: skip


def _history(simulated: Market, ticker: int) -> str:
    """Naver's chart: prices in the shares of the last day, volume in the shares of each day."""
    new, old = (factors[:, ticker] for factors in later_splits(simulated))
    listed = simulated.listed[:, ticker]
    prices = [values[:, ticker] * old // new for values in _prices(simulated)]
    columns = [values[listed].tolist() for values in (*prices, simulated.volume[:, ticker])]
    days = [f"{day:%Y%m%d}" for day, quoted in zip(simulated.days, listed, strict=True) if quoted]
    head = NAVER_HEAD.format(
        code=simulated.codes[ticker], name=simulated.names[ticker], count=len(days), origin=days[0]
    )
    return head + "".join(NAVER_ITEM % row for row in zip(days, *columns, strict=True)) + NAVER_TAIL


def _prices(simulated: Market) -> tuple[Won, Won, Won, Won]:
    return simulated.open, simulated.high, simulated.low, simulated.close


def _actions(simulated: Market) -> str:
    """Every split: code, ex-date, and how many new shares one old share became (0.2 for five into one)."""
    splits = np.argwhere(simulated.new_shares != simulated.old_shares).tolist()
    lines = ["code,ex_date,ratio"]
    for session, ticker in splits:
        ratio = simulated.new_shares[session, ticker] / simulated.old_shares[session, ticker]
        lines.append(f"{simulated.codes[ticker]},{simulated.days[session]},{ratio:g}")
    return "\n".join(lines) + "\n"
