"""The other ways from a data frame into tb_bar. Runs in the peers' environment: ``python -m bench.peers``.

Each is what its own documentation shows first: no tuning beyond it. All of them get the rows as one pandas frame with
every column of the table.
"""

import tempfile
from typing import TYPE_CHECKING, Any

from bench.bars import COLUMNS, Shape, whole_frame
from bench.child import serve

if TYPE_CHECKING:
    import pandas as pd

KEY = ("meta_id", "trade_date")
PAGE_ROWS = 1000  # of one statement; execute_values' own default is 100


class Peer:
    """What they have in common."""

    backend: int | None = None
    frame: "pd.DataFrame"

    def __init__(self, url: str) -> None:
        self.url = url

    def prepare(self, shape: Shape) -> None:
        """Make the rows."""
        self.frame = whole_frame(shape)


class ToSql(Peer):
    """pandas.DataFrame.to_sql, as it is called without options: plain INSERTs, which know no conflict."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.engine = _engine(url)

    def go(self) -> dict[str, Any]:
        """Append."""
        with self.engine.begin() as connection:
            self.frame.to_sql("tb_bar", connection, if_exists="append", index=False)
        return {}


class ExecuteValues(Peer):
    """psycopg2.extras.execute_values with INSERT … ON CONFLICT DO UPDATE."""

    def __init__(self, url: str) -> None:
        import psycopg2

        super().__init__(url)
        self.connection = psycopg2.connect(url)
        self.backend = self.connection.get_backend_pid()

    def go(self) -> dict[str, Any]:
        """Upsert."""
        from psycopg2.extras import execute_values

        updates = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in KEY)
        insert = f"insert into tb_bar ({', '.join(COLUMNS)}) values %s"
        statement = f"{insert} on conflict ({', '.join(KEY)}) do update set {updates}"
        with self.connection, self.connection.cursor() as cursor:
            execute_values(cursor, statement, self.frame.itertuples(index=False, name=None), page_size=PAGE_ROWS)
        return {}


class SqlAlchemy(Peer):
    """SQLAlchemy Core's insert().on_conflict_do_update() with a list of dictionaries."""

    def __init__(self, url: str) -> None:
        from sqlalchemy import MetaData, Table
        from sqlalchemy.dialects.postgresql import insert

        super().__init__(url)
        self.engine = _engine(url)
        statement = insert(Table("tb_bar", MetaData(), autoload_with=self.engine))
        updates = {name: statement.excluded[name] for name in COLUMNS if name not in KEY}
        self.statement = statement.on_conflict_do_update(index_elements=KEY, set_=updates)

    def go(self) -> dict[str, Any]:
        """Upsert."""
        with self.engine.begin() as connection:
            connection.execute(self.statement, self.frame.to_dict("records"))
        return {}


class Adbc(Peer):
    """ADBC's adbc_ingest of an Arrow table: a binary COPY made in C, which knows no conflict."""

    def __init__(self, url: str) -> None:
        from adbc_driver_postgresql import dbapi

        super().__init__(url)
        self.connection = dbapi.connect(url)

    def go(self) -> dict[str, Any]:
        """Append."""
        import pyarrow as pa

        table = pa.Table.from_pandas(self.frame, preserve_index=False)
        for name in ("trade_date", "basis_date"):
            table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.date32()))
        with self.connection.cursor() as cursor:
            cursor.adbc_ingest("tb_bar", table, mode="append")
        self.connection.commit()
        return {}


class Dlt(Peer):
    """dlt's pipeline.run of the frame into the table as it is, appending."""

    def __init__(self, url: str) -> None:
        import dlt

        super().__init__(url)
        self.folder = tempfile.TemporaryDirectory(prefix="bench-dlt-")
        self.pipeline = dlt.pipeline(
            "bench", destination=dlt.destinations.postgres(url), dataset_name="public", pipelines_dir=self.folder.name
        )

    def go(self) -> dict[str, Any]:
        """Append."""
        self.pipeline.run(self.frame, table_name="tb_bar", write_disposition="append", primary_key=KEY)
        return {}


PEERS = {"to_sql": ToSql, "execute_values": ExecuteValues, "sqlalchemy": SqlAlchemy, "adbc": Adbc, "dlt": Dlt}


def _engine(url: str) -> Any:
    from sqlalchemy import create_engine

    return create_engine(url.replace("postgresql:", "postgresql+psycopg2:", 1))


if __name__ == "__main__":
    serve(PEERS)
