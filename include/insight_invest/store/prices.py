"""Reading prices, column by column: one ticker's history, a whole session; and how far each ticker is."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np

from include.insight_invest.store.arrays import Array, arrays
from include.insight_invest.store.copy import DAY_0, date_list, days_of
from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql


@dataclass(slots=True)  # not frozen: thousands are made for one answer, each in half the time
class Price:
    """One session of one ticker, in today's shares, in money of ``currency``; ``gross_return`` is a fraction."""

    trade_date: date
    open: float | None
    high: float | None
    low: float | None
    close: float
    volume: float | None
    adj_close: float
    gross_return: float | None
    currency: str


@dataclass(frozen=True)
class Session:
    """A session of a country, one element a ticker that has a bar, by ``meta_id``; NaN where there is no value.

    Prices are in today's shares, in the ticker's own currency; ``volume`` in shares.
    """

    meta_id: Array
    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array
    adj_close: Array

    def __len__(self) -> int:
        return len(self.meta_id)


@dataclass(frozen=True)
class History:
    """The sessions of one ticker, oldest first, in today's shares; NaN where there is no value.

    ``trade_date`` is datetime64[D]; ``gross_return`` a fraction, since the session before; ``currency`` None where not
    all sessions have the same.
    """

    currency: str | None
    trade_date: Array
    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array
    adj_close: Array
    gross_return: Array

    def __len__(self) -> int:
        return len(self.trade_date)


def adjusted_closes(connection: Connection, meta_id: int, start: date, end: date) -> tuple[Array, Array]:
    """The sessions of a ticker (datetime64[D]), oldest first, and its closes adjusted for splits and dividends."""
    found = arrays(connection, sql("adjusted_closes"), {"meta_id": meta_id, "start": start, "end": end})
    days, closes = found or (np.empty(0, np.int32), np.empty(0))
    order = days.argsort()
    return DAY_0 + days[order], closes[order]


def history(connection: Connection, meta_id: int, start: date, end: date) -> History:
    """The sessions of a ticker from ``start`` to ``end``, both included."""
    found = arrays(connection, sql("prices"), {"meta_id": meta_id, "start": start, "end": end})
    if found is None:
        return History(None, np.empty(0, "datetime64[D]"), *([np.empty(0)] * 7))
    *numbers, currencies = found
    order = numbers[0].argsort()
    days, *values = (column[order] for column in numbers)
    returns = np.full(len(days), np.nan)
    returns[1:] = values[-1][1:] / values[-1][:-1] - 1
    first = int(np.searchsorted(days, days_of([start])[0]))
    if first < len(days) and np.isnan(returns[first]):
        returns[first] = _looked_up(connection, meta_id, date_list(days[first:])[0])
    columns: list[Any] = [column[first:] for column in (*values, returns)]
    currency = currencies[0] if currencies[0] == currencies[1] else None
    return History(currency, DAY_0 + days[first:], *columns)


def prices(connection: Connection, meta_id: int, start: date, end: date) -> list[Price]:
    """The same as rows."""
    found = history(connection, meta_id, start, end)
    days = found.trade_date.tolist()
    columns = [_or_none(getattr(found, field.name)) for field in fields(History)[2:]]
    currency = [found.currency] * len(found) if found.currency else _currencies(connection, meta_id, days)
    return [Price(*row) for row in zip(days, *columns, currency, strict=True)]


def _currencies(connection: Connection, meta_id: int, days: list[date]) -> list[str]:
    statement = "select trade_date, currency from tb_bar where meta_id = %s and trade_date = any (%s)"
    by_day: dict[date, str] = dict(connection.execute(statement, [meta_id, days]).fetchall())  # type: ignore[arg-type]
    return [by_day[day] for day in days]


def market_day(connection: Connection, iso_code: str, day: date) -> Session:
    """A whole session of a country."""
    found = arrays(connection, sql("market_day"), {"iso_code": iso_code, "day": day})
    if found is None:
        return Session(np.empty(0, np.int32), *(np.empty(0) for _ in range(6)))
    order = found[0].argsort()
    return Session(*(values[order] for values in found))


def newest_sessions(connection: Connection, iso_code: str) -> dict[int, date]:
    """The watermark of each ticker of a country: its newest stored session, by meta_id."""
    statement = (
        "select m.meta_id, w.last_session from tb_meta as m join insight_watermark as w using (meta_id) "
        "where m.iso_code = %s and w.last_session is not null"
    )
    return dict(connection.execute(statement, [iso_code]).fetchall())  # type: ignore[arg-type]


def _or_none(values: Array) -> list[float | None]:
    found: list[float | None] = values.tolist()
    for place in np.flatnonzero(np.isnan(values)):
        found[place] = None
    return found


def _looked_up(connection: Connection, meta_id: int, day: date) -> float:
    row = connection.execute(
        "select gross_return from tb_price where meta_id = %s and trade_date = %s", [meta_id, day]
    ).fetchone()
    return float(str(row[0])) if row and row[0] is not None else np.nan
