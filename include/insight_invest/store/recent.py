"""What is stored of the last sessions: what new answers are measured against."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from psycopg.rows import class_row

from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd

# Yahoo sends 32-bit floats: half a unit in the last place is 6e-8.
SAME_CLOSE = 3e-7


@dataclass(frozen=True)
class DayBars:
    """How many bars there are of a day; ``traded`` are those of both kinds by which somebody traded."""

    day: date
    stored: int
    held: int  # in quarantine, undecided
    traded: int


def closes(connection: Connection, iso_code: str, start: date, session: date) -> "pd.DataFrame":
    """The country's closes from ``start`` until before ``session``, but of ETFs: ticker, trade_date, close.

    They are money per share of ``session``.
    """
    import pandas as pd

    rows = connection.execute(sql("closes"), {"iso_code": iso_code, "start": start, "session": session}).fetchall()
    frame = pd.DataFrame.from_records(rows, columns=["ticker", "trade_date", "close"])
    return frame.astype({"trade_date": "datetime64[ns]", "close": float})


def eve_bars(connection: Connection, meta_ids: Sequence[int], eve: date, until: date) -> "pd.DataFrame":
    """The bars of ``eve``: meta_id, open, high, low, close, volume, has_next (whether ``until`` is stored as well)."""
    import pandas as pd

    rows = connection.execute(sql("eve_bar"), {"meta_ids": list(meta_ids), "eve": eve, "until": until}).fetchall()
    names = ["meta_id", "open", "high", "low", "close", "volume", "has_next"]
    frame = pd.DataFrame.from_records(rows, columns=names)
    return frame.astype({**dict.fromkeys(names[1:6], float), "meta_id": int, "has_next": bool})


def sample(
    connection: Connection, iso_code: str, session: date, *, source: str, place: float, size: int
) -> tuple["pd.DataFrame", int]:
    """``size`` of the bars of ``session`` that ``source`` gave, and how many it gave in all.

    Columns meta_id, ticker, market, close, volume. Tickers stand on a circle, in an order that does not change;
    ``place``, a fraction of it, is where the sample begins.
    """
    import pandas as pd

    parameters = {
        "iso_code": iso_code,
        "session": session,
        "source": source,
        "place": int(place * 2**32),
        "size": size,
    }
    rows = connection.execute(sql("sample_bar"), parameters).fetchall()
    names = ["meta_id", "ticker", "market", "close", "volume", "total"]
    frame = pd.DataFrame.from_records(rows, columns=names).astype({"close": float, "volume": float})
    return frame.drop(columns="total"), int(frame["total"].iloc[0]) if len(frame) else 0


def bars_per_day(connection: Connection, meta_ids: Sequence[int], days: Sequence[date]) -> dict[date, DayBars]:
    """What some source gave of ``meta_ids`` for each of ``days``; a day without a bar is left out."""
    values = {"meta_ids": list(meta_ids), "days": list(days), "same": SAME_CLOSE}
    cursor = connection.cursor(row_factory=class_row(DayBars))
    return {found.day: found for found in cursor.execute(sql("bars_per_day"), values)}


def most_traded(connection: Connection, meta_ids: Sequence[int], day: date, count: int) -> set[int]:
    """The ``count`` of ``meta_ids`` with the largest volume on ``day``."""
    values = {"meta_ids": list(meta_ids), "day": day, "count": count}
    return {int(str(row[0])) for row in connection.execute(sql("most_traded"), values).fetchall()}
