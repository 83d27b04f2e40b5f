"""What is stored of the last sessions: what new answers are measured against."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd


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
