"""Generated bars: each number is a function of ticker and day, so that any part of the market can be made anywhere.

Prices wander between 60 % and 160 % of a ticker's level and move by about 1 % a day, as 32-bit floats the way Yahoo
sends them; the same ticker and day give the same bar in every process and in every round.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

type Floats = npt.NDArray[np.float64]

PRICES = ("open", "high", "low", "close")
# What the load adds to each row, for those who have no load path that adds it.
CONSTANTS: dict[str, Any] = {"source": "yahoo", "currency": "USD", "final": True, "run_id": 1}
COLUMNS = ("meta_id", "trade_date", *PRICES, "volume", "basis_date", "source", "currency", "observed_at", "final",
           "run_id")  # fmt: skip
FIRST_PRICE = 20.0
DIVIDEND = 0.004  # of the close before it, four times a year
QUARTER = 91  # days
SPLITS = np.datetime64("2021-01-04")


@dataclass(frozen=True)
class Shape:
    """Bars of ``tickers`` tickers from ``first_id`` on, of ``sessions`` weekdays until ``end`` (ISO 8601)."""

    tickers: int
    sessions: int
    end: str
    first_id: int = 1

    @property
    def rows(self) -> int:
        """How many bars these are."""
        return self.tickers * self.sessions

    @property
    def days(self) -> npt.NDArray[np.datetime64]:
        """The sessions, ascending."""
        last = np.datetime64(self.end, "D")
        return np.busday_offset(last, np.arange(1 - self.sessions, 1), roll="backward")

    def batches(self, tickers: int) -> Iterator["Shape"]:
        """This in parts of at most ``tickers`` tickers."""
        for start in range(0, self.tickers, tickers):
            size = min(tickers, self.tickers - start)
            yield Shape(size, self.sessions, self.end, self.first_id + start)


def symbol(meta_id: int) -> str:
    """A ticker's symbol, four letters: AAAB is 1."""
    return "".join(chr(ord("A") + meta_id // 26**place % 26) for place in (3, 2, 1, 0))


def number(symbol: str) -> int:
    """The ticker of a symbol."""
    return sum((ord(letter) - ord("A")) * 26**place for place, letter in enumerate(reversed(symbol)))


def frame(shape: Shape) -> "pd.DataFrame":
    """The bars as an updater has them, ticker by ticker: meta_id, trade_date, prices, volume, basis_date."""
    import pandas as pd

    ids = np.arange(shape.first_id, shape.first_id + shape.tickers)
    days = shape.days
    values = quotes(ids, days)
    return pd.DataFrame(
        {
            "meta_id": np.repeat(ids, len(days)),
            "trade_date": np.tile(days, len(ids)).astype("datetime64[ns]"),
            **{name: column.ravel() for name, column in values.items()},
            "basis_date": days[-1].astype("datetime64[ns]"),
        }
    )


def whole_frame(shape: Shape) -> "pd.DataFrame":
    """The same with all columns of tb_bar, typed as it has them: what those get who write the table themselves."""
    bars = frame(shape).assign(**CONSTANTS, observed_at=observed_at(shape))
    return bars.astype({"volume": np.int64, "meta_id": np.int32})[list(COLUMNS)]


def observed_at(shape: Shape) -> "pd.Timestamp":
    """When the bars were read: on the evening of their last day, UTC."""
    import pandas as pd

    return pd.Timestamp(shape.end, tz="UTC") + pd.Timedelta(hours=22)


def quotes(ids: npt.NDArray[Any], days: npt.NDArray[np.datetime64]) -> dict[str, Floats]:
    """open, high, low, close and volume, each of shape (tickers, days)."""
    ticker = np.asarray(ids, np.uint64)[:, None]
    day = np.asarray(days, "datetime64[D]").astype(np.int64).astype(np.uint64)[None, :]
    phase = ticker.astype(float)
    level = FIRST_PRICE * (1 + ticker % np.uint64(47))
    wave = 0.2 * np.sin(day.astype(float) / 311 + phase) + 0.25 * np.sin(day.astype(float) / 1709 + 3 * phase)
    close = level * np.exp(wave + 0.012 * (_uniform(ticker, day, 1) - 0.5))
    first = close * (1 + 0.01 * (_uniform(ticker, day, 2) - 0.5))
    high = np.maximum(first, close) * (1 + 0.008 * _uniform(ticker, day, 3))
    low = np.minimum(first, close) * (1 - 0.008 * _uniform(ticker, day, 4))
    prices = dict(zip(PRICES, (first, high, low, close), strict=True))
    rounded = {name: values.astype(np.float32).astype(np.float64) for name, values in prices.items()}
    return rounded | {"volume": np.floor(100_000 + 900_000 * _uniform(ticker, day, 5))}


def ex_days(meta_id: int, days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    """The ex-dates of a ticker's dividends among ``days``: one each quarter, the same whatever else is in ``days``."""
    first, last = days[[1, -1]].astype("datetime64[D]").astype(int)  # the first has no close before it
    due = np.arange(first - first % QUARTER + meta_id * 7 % QUARTER, last, QUARTER)
    found: npt.NDArray[np.datetime64] = days[np.searchsorted(days, due[due > first].astype("datetime64[D]"))]
    return found


def splits_of(meta_id: int, days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    """The ex-dates of a ticker's splits, 2:1 each: one of every tenth ticker."""
    due = SPLITS + meta_id % 700
    found = days[np.searchsorted(days, due) :][:1]
    return found if meta_id % 10 == 0 and days[0] < due else found[:0]


def actions(shape: Shape) -> "pd.DataFrame":
    """Dividends and splits of the tickers: meta_id, ex_date, kind, value, basis_date."""
    import pandas as pd

    days, parts = shape.days, []
    for meta_id in range(shape.first_id, shape.first_id + shape.tickers):
        paid, split = ex_days(meta_id, days), splits_of(meta_id, days)
        close = quotes(np.array([meta_id]), paid)["close"][0]
        parts.append(
            pd.DataFrame(
                {
                    "meta_id": meta_id,
                    "ex_date": np.concatenate([paid, split]).astype("datetime64[ns]"),
                    "kind": ["dividend"] * len(paid) + ["split"] * len(split),
                    "value": np.concatenate([np.round(close * DIVIDEND, 4), np.full(len(split), 2.0)]),
                }
            )
        )
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(basis_date=days[-1].astype("datetime64[ns]"))


def copy_parts(shape: Shape) -> Iterator[bytes]:
    """The rows in PostgreSQL's binary COPY format, all columns of tb_bar, a hundred tickers a part: a file for psql."""
    yield b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
    for part in shape.batches(100):
        yield _records(part).tobytes()
    yield b"\xff\xff"


def _records(shape: Shape) -> npt.NDArray[np.void]:
    texts = {name: f"S{len(str(CONSTANTS[name]))}" for name in ("source", "currency")}
    kinds = {"meta_id": ">i4", "trade_date": ">i4", **dict.fromkeys(PRICES, ">f8"), "volume": ">i8",
             "basis_date": ">i4", **texts, "observed_at": ">i8", "final": ">i1", "run_id": ">i8"}  # fmt: skip
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name in COLUMNS:
        layout += [(f"{name}_length", ">i4"), (name, kinds[name])]
    bars = frame(shape)
    rows = np.empty(len(bars), dtype=layout)
    rows["fields"] = len(COLUMNS)
    for name in COLUMNS:
        rows[f"{name}_length"] = rows.dtype[name].itemsize
        rows[name] = _copied(bars, name) if name in bars else CONSTANTS.get(name, 0)
    since = observed_at(shape).tz_localize(None).to_datetime64() - np.datetime64("2000-01-01")  # PostgreSQL's instant 0
    rows["observed_at"] = since // np.timedelta64(1, "us")
    return rows


def _copied(bars: "pd.DataFrame", name: str) -> npt.NDArray[Any]:
    values = bars[name].to_numpy()
    if values.dtype.kind == "M":
        return (values.astype("datetime64[D]") - np.datetime64("2000-01-01", "D")).astype(np.int32)
    return values


def _uniform(ticker: npt.NDArray[np.uint64], day: npt.NDArray[np.uint64], column: int) -> Floats:
    """Numbers in [0, 1) that depend on their key alone: splitmix64, Steele, Lea and Flood, OOPSLA 2014."""
    with np.errstate(over="ignore"):
        mixed = (ticker * np.uint64(1_000_003) + day) * np.uint64(8) + np.uint64(column)
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(11)).astype(np.float64) / 2**53
