"""A simulated Korean stock market. Every ticker, name and price in it is made up; no package carries real ones.

A seeded generator draws the companies, what happens to them (listings, delistings, halts, splits, reverse splits, cash
dividends) and their returns; the rules of the Korea Exchange (``korea_rules``) then decide what can be quoted. The
generator is NumPy's PCG64: the same seed, NumPy and kind of processor give the same market.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from include.insight_invest.sessions import sessions
from local.demo_data.dates import END
from local.demo_data.korea_events import Events, draw_events
from local.demo_data.korea_rules import DIVIDEND_QUARTERS, Won, ex_dates, isin, limits, to_tick

SEED: Final = 20240102
FIRST_DAY: Final = date(2024, 1, 2)
SNAPSHOTS_FROM: Final = date(2026, 10, 1)  # from here on the market's daily snapshots are written

# Companies per market, in the order of their codes; KOSDAQ GLOBAL is KOSDAQ's own segment of large companies.
BOARDS: Final = (("KOSPI", 70), ("KOSDAQ GLOBAL", 5), ("KOSDAQ", 60), ("KONEX", 15))
SECTORS: Final = ("전자", "화학", "바이오", "금융", "건설", "식품", "조선", "통신", "게임", "소재")
LETTERS: Final = "ABCDEFGHJKLMNPQRSTVWXYZ"  # KRX leaves out I, O and U

START_PRICES: Final = (1_500, 250_000)  # won, log-uniform
BEFORE_SPLIT_PRICES: Final = (150_000, 600_000)  # so that history divides by the ratio without a remainder
BEFORE_REVERSE_PRICES: Final = (600, 1_800)
SHARES: Final = (2_000_000, 400_000_000)  # log-uniform, in whole thousands, so that a consolidation leaves no fraction

MARKET_VOLATILITY: Final = 0.009  # of a session's log return, shared by all tickers
OWN_VOLATILITY: Final = (0.010, 0.028)
OVERNIGHT: Final = 0.35  # the part of a session's return that is there at the open
JUMP_PROBABILITY: Final = 0.0006  # news that carries a share to its limit
JUMP_SIZE: Final = (0.20, 0.40)
INTRADAY_RANGE: Final = 0.006
TURNOVER: Final = 0.004  # median fraction of the shares that changes hands in a session

PAYERS: Final = 0.6  # fraction of tickers that pay a cash dividend each December
QUARTERLY_PAYERS: Final = 0.1
YIELD: Final = (0.01, 0.04)  # a year


@dataclass(frozen=True)
class Market:
    """The market as it was quoted on each day; arrays are (session, ticker), prices in won, shares as of that day.

    Where ``listed`` is false nothing else means anything. A halted session has open, high, low and volume 0 and keeps
    its close, which is then the base price.
    """

    days: list[date]
    codes: list[str]
    isins: list[str]
    names: list[str]
    boards: list[str]
    konex: NDArray[np.bool_]  # (ticker,)
    listed: NDArray[np.bool_]
    halted: NDArray[np.bool_]
    first_day: NDArray[np.bool_]  # the session of the listing, for listings within the simulation
    new_shares: Won  # a split on this ex-date gives ``new_shares`` for ``old_shares``; 1 for 1 otherwise
    old_shares: Won
    dividend: Won  # won a share where this is the ex-date, else 0
    base: Won  # what the day's change and limits are counted from: the close before, adjusted for a split
    open: Won
    high: Won
    low: Won
    close: Won
    volume: Won
    amount: Won
    shares: Won


@dataclass(frozen=True)
class _Draws:
    """The random part of every session, (session, ticker)."""

    overnight: NDArray[np.float64]  # log return from base price to open
    intraday: NDArray[np.float64]  # log return from open to close
    above: NDArray[np.float64]  # how far the high lies above open and close, as a fraction of the price
    below: NDArray[np.float64]
    turnover: NDArray[np.float64]  # fraction of the company's shares that changes hands
    dividend_yield: NDArray[np.float64]  # of the close before, where this is the ex-date, else 0


@cache
def market() -> Market:
    """The whole market from 2024-01-02 to 2027-12-31."""
    days = sessions("XKRX", FIRST_DAY, END)
    boards = [board for board, count in BOARDS for _ in range(count)]
    codes = [_code(number) for number in range(len(boards))]
    konex = np.array([board == "KONEX" for board in boards])
    generator = np.random.default_rng(SEED)
    events = draw_events(generator, len(days), len(boards), bisect_left(days, SNAPSHOTS_FROM))
    price, shares = _draw_companies(generator, events)
    draws = _draw_sessions(generator, days, len(boards))
    return Market(
        days=days,
        codes=codes,
        isins=[isin(code) for code in codes],
        names=[_name(number, code) for number, code in enumerate(codes)],
        boards=boards,
        konex=konex,
        listed=events.listed,
        halted=events.halted,
        first_day=events.first_day,
        new_shares=events.new_shares,
        old_shares=events.old_shares,
        **_trade(events, draws, konex, price, shares),
    )


def _code(number: int) -> str:
    """A code that no real share has: these begin with 99, which the exchange has given to none so far."""
    if number % 10 == 3:
        return f"99{number // 10:02d}{LETTERS[number % len(LETTERS)]}0"
    return f"99{number:03d}{'K' if number % 50 == 7 else '0'}"


def _name(number: int, code: str) -> str:
    return f"모의{SECTORS[number % len(SECTORS)]}{number:03d}{'우' if code.endswith('K') else ''} (Simulated)"


def _draw_companies(generator: np.random.Generator, events: Events) -> tuple[Won, Won]:
    """The first base price in won and the first number of shares of each ticker."""
    tickers = events.listed.shape[1]
    splits, reverses = events.new_shares.max(axis=0) > 1, events.old_shares.max(axis=0) > 1
    ranges = np.log([START_PRICES, BEFORE_SPLIT_PRICES, BEFORE_REVERSE_PRICES])[np.where(splits, 1, 2 * reverses)]
    price = to_tick(np.exp(generator.uniform(ranges[:, 0], ranges[:, 1])))
    fewest, most = np.log(SHARES)
    shares = np.exp(generator.uniform(fewest, most, tickers)).astype(np.int64) // 1_000 * 1_000
    return price, shares


def _draw_sessions(generator: np.random.Generator, days: list[date], tickers: int) -> _Draws:
    shape = (len(days), tickers)
    scale = np.sqrt(5 / 3)  # the standard deviation of Student's t with 5 degrees of freedom: returns have fat tails
    own = generator.uniform(*OWN_VOLATILITY, tickers)
    together = (
        generator.standard_t(5, (len(days), 1)) / scale * MARKET_VOLATILITY * generator.uniform(0.5, 1.3, tickers)
    )
    returns = together + generator.standard_t(5, shape) / scale * own - (own**2 + MARKET_VOLATILITY**2) / 2
    jumps = generator.choice([-1, 1], shape) * generator.uniform(*JUMP_SIZE, shape)
    returns += np.where(generator.random(shape) < JUMP_PROBABILITY, jumps, 0)
    noise = generator.standard_normal((3, *shape))
    payers = generator.random(tickers)
    dividend_yield = np.zeros(shape)
    for session in ex_dates(days):
        share = np.where(payers < QUARTERLY_PAYERS, 1 / len(DIVIDEND_QUARTERS), 0)
        if days[session].month == DIVIDEND_QUARTERS[-1]:
            share = np.where((payers >= QUARTERLY_PAYERS) & (payers < PAYERS), 1, share)
        dividend_yield[session] = share * generator.uniform(*YIELD, tickers)
    return _Draws(
        overnight=returns * OVERNIGHT,
        intraday=returns * (1 - OVERNIGHT),
        above=np.abs(noise[0]) * INTRADAY_RANGE,
        below=np.abs(noise[1]) * INTRADAY_RANGE,
        turnover=TURNOVER * np.exp(0.6 * noise[2] + 12 * np.abs(returns)),
        dividend_yield=dividend_yield,
    )


def _trade(events: Events, draws: _Draws, konex: NDArray[np.bool_], price: Won, shares: Won) -> dict[str, Won]:
    """Session after session, all tickers at once: each session's limits come from the close before."""
    names = ("base", "open", "high", "low", "close", "volume", "amount", "shares", "dividend")
    rows: dict[str, list[Won]] = {name: [] for name in names}
    for t in range(len(events.listed)):
        new, old = events.new_shares[t], events.old_shares[t]
        trading = events.listed[t] & ~events.halted[t]
        dividend = np.where(trading, np.rint(price * draws.dividend_yield[t] / 10), 0).astype(np.int64) * 10
        base = np.where(new == old, price, to_tick(price * old / new))
        shares = shares * new // old
        lowest, highest = limits(base, konex, events.first_day[t])
        first = np.clip(to_tick(base * np.exp(draws.overnight[t]) - dividend), lowest, highest)
        last = np.clip(to_tick(first * np.exp(draws.intraday[t])), lowest, highest)
        top, bottom = np.maximum(first, last), np.minimum(first, last)
        high = np.clip(to_tick(top * (1 + draws.above[t])), top, highest)
        low = np.clip(to_tick(bottom * (1 - draws.below[t])), lowest, bottom)
        volume = np.maximum((shares * draws.turnover[t]).astype(np.int64), 1)
        amount = (first + high + low + last) * volume // 4
        price = np.where(trading, last, base)
        quoted = {"open": first, "high": high, "low": low, "volume": volume, "amount": amount}
        kept = {"base": base, "close": price, "shares": shares, "dividend": dividend}
        for name, values in (kept | {name: np.where(trading, values, 0) for name, values in quoted.items()}).items():
            rows[name].append(values)
    return {name: np.stack(values) for name, values in rows.items()}
