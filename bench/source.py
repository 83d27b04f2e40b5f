"""Yahoo with a generated market of any size: the replay server, whose recordings are made as they are asked for.

``python -m bench.source ENV_FILE NOW``: serves until SIGTERM; ENV_FILE is written when requests can come.
"""

import re
import signal
import sys
import tempfile
from collections.abc import Callable, Hashable
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast, override

import numpy as np

from bench.bars import DIVIDEND, ex_days, number, quotes, splits_of
from bench.sizes import FULL
from include.insight_invest import sessions
from tests.replay import Replay
from tests.replay.bars import NEW_YORK, Dividend, Recording, Split
from tests.replay.dailies import DOLLARS
from tests.replay.data import Library

_SYMBOL = re.compile(r"[A-Z]{4}")


class Generated(Library):
    """A library that knows every symbol of four letters, and keeps none: its size must not depend on how many."""

    def __init__(self, until: date) -> None:
        super().__init__(())
        self._days = _last_sessions(until)
        self._opens = np.array([NEW_YORK.opening(day.item()) for day in self._days], np.int64)

    @override
    def once[T](self, key: Hashable, build: Callable[[], T]) -> T:
        """The index of recordings is every ticker's; all else is made anew."""
        if isinstance(key, tuple) and key[0] == "charts":
            return cast(T, _Everything())
        return build()

    @override
    def read[T](self, path: Path, parse: Callable[[Path], T]) -> T:
        """The recording of a ticker, whose symbol is the path."""
        return cast(T, self._recording(path.name))

    def _recording(self, symbol: str) -> Recording:
        meta_id, days = number(symbol), self._days
        values = quotes(np.array([meta_id]), days)
        basis, at = days[-1].item(), dict(zip(days.tolist(), self._opens.tolist(), strict=True))
        paid = ex_days(meta_id, days)
        close = quotes(np.array([meta_id]), paid)["close"][0]
        return Recording(
            days=np.array([day.toordinal() for day in days.tolist()], np.int64),
            at=self._opens,
            values={name: column[0] for name, column in values.items()},
            basis=basis,
            splits=tuple(Split(day, at[day], 2.0, 1.0) for day in splits_of(meta_id, days).tolist()),
            dividends=tuple(
                Dividend(day, at[day], round(float(price) * DIVIDEND, 4), basis, {})
                for day, price in zip(paid.tolist(), close, strict=True)
            ),
            meta={**DOLLARS, "symbol": symbol, "firstTradeDate": int(self._opens[0])},
        )


class _Everything(dict[str, list[Path]]):
    """Every symbol that is one of ours has one recording, named as it is."""

    @override
    def get(self, symbol: str, default: Any = None) -> Any:
        return [Path(symbol)] if _SYMBOL.fullmatch(symbol) else default


@cache
def _last_sessions(until: date) -> "np.ndarray[Any, np.dtype[np.datetime64]]":
    found = sessions.sessions("XNYS", sessions.FIRST_DAY, until)[-FULL.ten_years :]
    return np.array(found, "datetime64[D]")


def main() -> None:
    """Serve."""
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before any thread starts: they inherit it
    file, now = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
    with tempfile.TemporaryDirectory() as nothing, Replay([Path(nothing)], now) as replay:
        replay.serve(Generated(sessions.last_closed("XNYS", now)))
        part = file.with_suffix(".part")
        part.write_text("".join(f"{name}={value}\n" for name, value in replay.env.items()))
        part.replace(file)
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
