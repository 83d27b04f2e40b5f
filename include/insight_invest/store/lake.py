"""What the lake takes from the store: datasets, their partitions, and the rows of one, in batches.

Call inside one transaction that repeats its reads, so that all of it is of one moment.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from psycopg import sql as psycopg_sql

from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

BATCH_ROWS = 50_000  # a row group; 13 columns of it are 40 MB as Python objects


@dataclass(frozen=True)
class Dataset:
    """A table of the lake: ``columns`` and their Arrow types, in files by ``keys``, each sorted by ``order``."""

    name: str
    keys: Mapping[str, str]
    columns: Mapping[str, str]
    order: tuple[str, ...]

    @property
    def statement(self) -> str:
        """Selects its keys and columns, of the partition that the parameters name, or of all where they are null."""
        return sql(f"lake_{self.name}")


@dataclass(frozen=True)
class Partition:
    """One file to be: the values of its keys, how many rows it has, and what changes when one of them does."""

    dataset: Dataset
    values: tuple[str, ...]
    rows: int
    fingerprint: str


def _dataset(name: str, keys: str, columns: str, order: str) -> Dataset:
    return Dataset(name, _types(keys), _types(columns), tuple(order.split()))


def _types(text: str) -> Mapping[str, str]:
    return MappingProxyType(dict(pair.split(":") for pair in text.split()))


DATASETS = (
    _dataset(
        "prices",
        "market:string year:int32",
        "meta_id:int32 trade_date:date32 basis_date:date32 open:float64 high:float64 low:float64 close:float64 "
        "volume:int64 currency:string source:string final:bool run_id:int64",
        "meta_id trade_date",
    ),
    _dataset(
        "actions",
        "market:string",
        "meta_id:int32 ex_date:date32 kind:string value:float64 basis_date:date32 currency:string source:string "
        "run_id:int64",
        "meta_id ex_date kind",
    ),
    _dataset(
        "adjustments",
        "market:string",
        "meta_id:int32 kind:string ex_date:date32 factor:float64",
        "meta_id kind ex_date",
    ),
    _dataset(
        "definitions",
        "market:string",
        "meta_id:int32 ticker:string name:string isin:string security_type:string asset_class:string sector:string "
        "board:string marketcap:int64 fee:float64 remark:string listed_from:date32 delisted_on:date32",
        "meta_id",
    ),
    _dataset("series", "", "macro_id:int32 fred:string description:string status:string", "macro_id"),
    _dataset(
        "vintages",
        "series:string",
        "macro_id:int32 base_date:date32 realtime_start:date32 value:float64 source:string run_id:int64",
        "base_date realtime_start",
    ),
)


def partitions(connection: Connection, dataset: Dataset) -> list[Partition]:
    """The partitions of ``dataset`` that have rows.

    A fingerprint is a hash over every exported value. A watermark of run_ids would miss rows that were taken back, and
    those of a run that began earlier than the newest and committed later.
    """
    keys = [psycopg_sql.Identifier(key) for key in dataset.keys]
    whole = psycopg_sql.SQL("({})").format(_names((*dataset.keys, *dataset.columns)))
    statement = psycopg_sql.SQL(
        "select {keys} count(*), bit_xor(hash_record_extended({whole}, 0)) from ({select}) as r {group}"
    ).format(
        keys=psycopg_sql.SQL("").join(psycopg_sql.SQL("{}::text, ").format(key) for key in keys),
        whole=whole,
        select=psycopg_sql.SQL(dataset.statement),
        group=psycopg_sql.SQL("group by {0} order by {0}").format(psycopg_sql.SQL(", ").join(keys))
        if keys
        else psycopg_sql.SQL(""),
    )
    rows = connection.execute(statement, dict.fromkeys(dataset.keys)).fetchall()
    found = [Partition(dataset, tuple(map(str, row[:-2])), int(str(row[-2])), f"{row[-2]}:{row[-1]}") for row in rows]
    return [one for one in found if one.rows]


def batches(connection: Connection, partition: Partition, rows: int = BATCH_ROWS) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of ``partition``, its dataset's columns in their order, at most ``rows`` at a time."""
    dataset = partition.dataset
    statement = psycopg_sql.SQL("select {} from ({}) as r order by {}").format(
        _names(dataset.columns),
        psycopg_sql.SQL(dataset.statement),
        _names(dataset.order),
    )
    with connection.cursor(name="lake", binary=True) as cursor:
        cursor.execute(statement, dict(zip(dataset.keys, partition.values, strict=True)))
        while batch := cursor.fetchmany(rows):
            yield batch


def _names(names: Mapping[str, str] | tuple[str, ...]) -> psycopg_sql.Composed:
    return psycopg_sql.SQL(", ").join(map(psycopg_sql.Identifier, names))
