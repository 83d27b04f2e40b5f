"""A batch of bars as arrays, and what the store knows of it already: which rows are new, and which say nothing new."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from include.insight_invest.errors import StoreError
from include.insight_invest.store.arrays import Array, arrays
from include.insight_invest.store.copy import date_list, days_of
from include.insight_invest.store.database import Connection
from include.insight_invest.store.merge import TYPES, VALUES
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd

# A batch of so many tickers and so few days is read by its days, which lie side by side, and not ticker by ticker.
_MANY_TICKERS = 1_000
_FEW_DAYS = 31
_EXACT = 2.0**53  # above, a float is no count of shares


@dataclass(frozen=True)
class Batch:
    """Bars by ticker and day: ``columns`` of merge.TYPES, with days as PostgreSQL has them (int32), and their ``key``.

    ``is_wide``: many tickers, few days. ``ids`` are the tickers, ascending, and ``of`` is each row's place among them.
    Per ticker: ``starts`` and ``ends``, its first row and the one after its last; ``newest``, its last stored session;
    ``split`` and ``dividend``, its last ex-dates. The smallest integer stands for none.
    """

    columns: Mapping[str, Array]
    key: Array
    is_wide: bool
    ids: Array
    of: Array
    starts: Array
    ends: Array
    newest: Array
    split: Array
    dividend: Array

    def __len__(self) -> int:
        return len(self.of)

    def rows(self, mask: Array) -> dict[str, Array]:
        """The columns of the rows that ``mask`` picks."""
        return dict(self.columns) if mask.all() else {name: values[mask] for name, values in self.columns.items()}


@dataclass(frozen=True)
class Known:
    """Which rows of a batch are stored, of the same source and to the last bit; of them, which become final thereby."""

    same: Array
    confirming: Array


def read_batch(connection: Connection, bars: "pd.DataFrame") -> Batch:
    """``bars``, as ``load_bars`` takes them, with what is stored of their tickers. Raises StoreError for others."""
    columns = {name: bars[name].to_numpy() for name in TYPES}
    columns |= {name: days_of(columns[name]) for name in ("trade_date", "basis_date")}
    columns |= {name: columns[name].astype(float, copy=False) for name in VALUES}
    key = _key(columns["meta_id"], columns["trade_date"])
    if (key[1:] < key[:-1]).any():
        order = key.argsort(kind="stable")
        key, columns = key[order], {name: values[order] for name, values in columns.items()}
    ids, starts, of, counts = np.unique(columns["meta_id"], return_index=True, return_inverse=True, return_counts=True)
    is_wide = len(ids) >= _MANY_TICKERS and len(np.unique(columns["trade_date"])) <= _FEW_DAYS
    found = arrays(connection, sql("reach_of_market" if is_wide else "reach"), {"meta_ids": ids.tolist()})
    assert found is not None  # noqa: S101 (there is a row of each ticker)
    *reached, unknown = found
    if len(unknown):
        raise StoreError(f"tb_meta has no ticker of meta_id {', '.join(map(str, unknown))}: was it deleted meanwhile?")
    return Batch(columns, key, is_wide, ids, of, starts, starts + counts, *reached)


def is_new(batch: Batch, *, volume_is_adjusted: bool) -> Array:
    """Which rows are after their ticker's newest session, and would be stored just as they are."""
    columns = batch.columns
    whole = (columns["low"] <= columns["close"]) & (columns["close"] <= columns["high"]) & np.isfinite(columns["open"])
    whole &= np.isfinite(columns["low"]) & np.isfinite(columns["high"])
    whole &= (columns["volume"] >= 0) & (columns["volume"] < _EXACT)
    if not volume_is_adjusted:
        whole &= columns["trade_date"] >= batch.split[batch.of]
    return whole & (columns["trade_date"] > batch.newest[batch.of])


def known_of(connection: Connection, batch: Batch, parameters: Mapping[str, Any]) -> Known:
    """Compare with what is stored. A row that was quoted, or traded, in other shares than now is left to the merge.

    ``parameters`` are those of ``load_bars``' statements: source, as_of, volume_is_adjusted.
    """
    columns, same, confirming = batch.columns, np.zeros(len(batch), bool), np.zeros(len(batch), bool)
    stored = _stored(connection, batch, parameters)
    if stored is None:
        return Known(same, confirming)
    at, mine = _matches(batch.key, stored)
    equal = stored["same_source"][at]
    for name in VALUES:
        value = np.rint(columns[name][mine]) if name == "volume" else columns[name][mine]
        equal &= np.isnan(value) | (value == stored[name][at])
    oldest = np.minimum(columns["basis_date"][mine], stored["basis_date"][at])
    if not parameters["volume_is_adjusted"]:
        oldest = np.minimum(oldest, columns["trade_date"][mine])
    equal &= batch.split[batch.of[mine]] <= oldest
    same[mine] = equal
    confirming[mine] = equal & stored["confirms"][at]
    return Known(same, confirming)


def _stored(connection: Connection, batch: Batch, parameters: Mapping[str, Any]) -> dict[str, Array] | None:
    days = batch.columns["trade_date"]
    known = days[batch.starts] <= batch.newest
    if not known.any():
        return None
    values = {**parameters, "meta_ids": batch.ids[known].tolist()}
    if batch.is_wide:
        found = arrays(connection, sql("stored_session"), {**values, "days": date_list(np.unique(days))})
    else:
        spans = {"first": date_list(days[batch.starts][known]), "last": date_list(days[batch.ends - 1][known])}
        found = arrays(connection, sql("stored_bar"), {**values, **spans})
    return None if found is None else dict(zip((*TYPES, "same_source", "confirms"), found, strict=True))


def _matches(keys: Array, stored: Mapping[str, Array]) -> tuple[Array, Array]:
    """Where in ``stored`` each of the ascending ``keys`` that is there stands, and where in ``keys``."""
    others = _key(stored["meta_id"], stored["trade_date"])
    order = others.argsort(kind="stable")
    at = np.searchsorted(others, keys, sorter=order)
    at = order[np.minimum(at, len(others) - 1)]
    mine = np.flatnonzero(others[at] == keys)
    return at[mine], mine


def _key(meta_ids: Array, days: Array) -> Array:
    """One number a bar, in the order of its ticker and its day."""
    return meta_ids.astype(np.int64) << 32 | days.astype(np.int64) + 2**31
