"""The export: the files whose rows have changed since the last one are written, and no other is touched."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import psycopg

from include.insight_invest.lake.manifest import PATH, Entry, Manifest, load, store
from include.insight_invest.lake.place import Place
from include.insight_invest.store.database import Connection
from include.insight_invest.store.lake import BATCH_ROWS, DATASETS, Dataset, Partition, batches, partitions
from include.insight_invest.store.lease import lease
from include.insight_invest.store.migrate import require_current
from include.insight_invest.store.read import reader
from include.insight_invest.wording import count

log = logging.getLogger(__name__)

LEASE = "lake"
_STATEMENT_SECONDS = 1800


@dataclass(frozen=True)
class Exported:
    """What an export did; ``written`` and ``removed`` are paths in the lake."""

    files: int
    rows: int
    bytes: int
    written: tuple[str, ...]
    removed: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{count(len(self.written), 'file')} written, {len(self.removed)} removed; the lake has "
            f"{count(self.files, 'file')}, {count(self.rows, 'row')}, {self.bytes:,} bytes"
        )


def export(database_url: str, lake_url: str) -> Exported:
    """Bring the lake up to the database as it is now, all of it at one moment.

    Interrupted, it has replaced some files, each whole, and the next export does the rest. Raises LeaseHeld where
    another is at work, LakeError, StoreError, ConfigurationError.
    """
    place = Place(lake_url)
    with reader(database_url, application="insight-invest lake", statement_seconds=_STATEMENT_SECONDS) as connection:
        require_current(connection)
        with lease(connection, LEASE, (1, 1)):
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with connection.transaction():
                return _export(connection, place)


def path_of(partition: Partition) -> str:
    """``prices/market=US/year=2026/part-0.parquet``."""
    folders = (
        f"{key}={quote(value, safe='')}" for key, value in zip(partition.dataset.keys, partition.values, strict=True)
    )
    return "/".join((partition.dataset.name, *folders, "part-0.parquet"))


def _export(connection: Connection, place: Place) -> Exported:
    place.tidy()
    sizes = place.sizes()
    before = load(place, sizes)
    wanted = {path_of(one): one for dataset in DATASETS for one in partitions(connection, dataset)}
    kept = {
        path: entry
        for path, entry in before.files.items()
        if path in wanted and entry.fingerprint == wanted[path].fingerprint and sizes.get(path) == entry.bytes
    }
    stale = tuple(sorted(path for path in sizes if path not in wanted and path != PATH and _is_ours(path)))
    todo = [path for path in wanted if path not in kept]
    if todo or stale:
        store(place, Manifest(kept, (*todo, *stale)))
    written = {path: _write(connection, place, path, wanted[path]) for path in todo}
    for path in stale:
        place.remove(path)
    after = Manifest({**kept, **written})
    if todo or stale or after.text() != before.text():
        store(place, after)
        place.tidy()
    entries = after.files.values()
    return Exported(
        len(entries), sum(one.rows for one in entries), sum(one.bytes for one in entries), tuple(todo), stale
    )


def _is_ours(path: str) -> bool:
    return path.endswith("/part-0.parquet") and path.partition("/")[0] in {dataset.name for dataset in DATASETS}


def _write(connection: Connection, place: Place, path: str, partition: Partition) -> Entry:
    size = place.put(path, partial(_fill, partition.dataset, batches(connection, partition)))
    log.info("%s: %s, %d bytes", path, count(partition.rows, "row"), size)
    return Entry(partition.rows, size, partition.fingerprint)


def _fill(dataset: Dataset, rows: Iterable[list[tuple[Any, ...]]], stream: Any) -> None:
    """Write Parquet: a batch is a row group; the same rows give the same bytes."""
    import pyarrow as pa
    from pyarrow import parquet

    types = {"date32": pa.date32(), "bool": pa.bool_()}
    schema = pa.schema([(name, types.get(kind) or pa.type_for_alias(kind)) for name, kind in dataset.columns.items()])
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for batch in rows:
            columns = [
                pa.array(values, kind) for values, kind in zip(zip(*batch, strict=True), schema.types, strict=True)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema), row_group_size=BATCH_ROWS)
