"""How the source tests ask: fast settings, targets by name, answers as plain rows."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from include.insight_invest.settings import Settings, load_settings
from include.insight_invest.sources.base import Answer, PriceSource, Wanted, Window
from include.insight_invest.store.universe import Target
from tests.fixtures.market import RATES

KEY = "0123456789abcdef0123456789abcdef"  # any 32 lower-case letters and digits are a FRED key to the replay


def fast(**overrides: Any) -> Settings:
    """Settings without the politeness that real sources need."""
    chosen = dict.fromkeys(RATES, 1000) | {"retry_wait": 0.01, "fred_api_key": KEY}
    return load_settings(**(chosen | overrides))


def wanted(*tickers: str, session: str, start: str | None = None, market: str | None = None) -> list[Wanted]:
    """``tickers`` with meta_id 1, 2, …, each wanted from ``start`` to ``session``."""
    window = Window(start=date.fromisoformat(start) if start else None, session=date.fromisoformat(session))
    return [
        Wanted(target=Target(number, ticker, market, None), window=window) for number, ticker in enumerate(tickers, 1)
    ]


def ask(source: PriceSource, asked: Sequence[Wanted]) -> list[Answer]:
    """Every answer of ``source``."""
    return list(source.prices(asked))


def bars(answers: Sequence[Answer]) -> list[tuple[Any, ...]]:
    """(ticker, trade_date, open, high, low, close, volume, basis_date); a missing number is None."""
    return _rows(
        [a.bars for a in answers], ["ticker", "trade_date", "open", "high", "low", "close", "volume", "basis_date"]
    )


def actions(answers: Sequence[Answer]) -> list[tuple[Any, ...]]:
    """(ticker, ex_date, kind, value, basis_date)."""
    return _rows([a.actions for a in answers], ["ticker", "ex_date", "kind", "value", "basis_date"])


def states(answers: Sequence[Answer]) -> dict[str, str]:
    """{ticker: state} of the tickers without data."""
    return {ticker: str(state) for answer in answers for ticker, (state, _) in answer.problems.items()}


def _rows(frames: Sequence[pd.DataFrame], columns: list[str]) -> list[tuple[Any, ...]]:
    return [
        tuple(str(v.date()) if isinstance(v, pd.Timestamp) else None if v != v else v for v in row)
        for frame in frames
        for row in frame[columns].itertuples(index=False, name=None)
    ]
