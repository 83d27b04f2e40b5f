"""Schema versions: from nothing, and from a filled Insight-Invest v2 database."""

from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from include.insight_invest.errors import SchemaError, StoreError
from include.insight_invest.store import migrate
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.store.migrate import HEAD, current, downgrade, require_current, upgrade
from tests.store.rows import load_series, vintages
from tests.store.v2 import LATER_TABLES, NEW_TABLES, TABLES, rows, tables


@pytest.fixture
def upgraded(v2: str) -> Iterator[Connection]:
    """The filled v2 database after the upgrade."""
    upgrade(v2)
    with connect(v2) as connection:
        yield connection


# From nothing ------------------------------------------------------------------------------------------------------


def test_an_empty_database_gets_every_table(empty_database: str) -> None:
    upgrade(empty_database)
    assert dict(rows(empty_database, TABLES)) == {  # type: ignore[arg-type]
        **dict.fromkeys(["tb_meta", "tb_macro", *NEW_TABLES, *LATER_TABLES], "r"),
        **dict.fromkeys(["tb_dividend_factor", "tb_macro_data", "tb_price"], "v"),
    }


def test_upgrading_twice_changes_nothing(empty_database: str) -> None:
    upgrade(empty_database)
    before = tables(empty_database)
    upgrade(empty_database)
    assert tables(empty_database) == before


def test_head_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_database_without_the_schema_is_told_what_to_run(empty_database: str) -> None:
    with connect(empty_database) as connection:
        assert current(connection) is None
        with pytest.raises(SchemaError, match=r"no Insight-Invest schema, .* needs 0004: run `run_scheduled_job.py db"):
            require_current(connection)


def test_after_the_upgrade_the_schema_is_current(connection: Connection) -> None:
    assert current(connection) == HEAD
    require_current(connection)


def test_another_version_is_named(connection: Connection, empty_database: str) -> None:
    upgrade(empty_database)
    with connect(empty_database) as other:
        other.execute("update insight_schema_version set version_num = '0999'")
        with pytest.raises(SchemaError, match="is at schema 0999, this version needs 0004"):
            require_current(other)
    with pytest.raises(SchemaError, match=r"cannot migrate: .*0999"):
        upgrade(empty_database)


def test_after_the_downgrade_the_schema_is_not_current(empty_database: str) -> None:
    upgrade(empty_database)
    downgrade(empty_database, "base")
    with connect(empty_database) as connection:
        assert current(connection) is None


def test_an_unknown_revision_is_a_schema_error(empty_database: str) -> None:
    with pytest.raises(SchemaError, match=r"cannot migrate: .*0042"):
        upgrade(empty_database, "0042")


# From v2 -----------------------------------------------------------------------------------------------------------


def test_v2_definitions_are_kept(upgraded: Connection) -> None:
    assert upgraded.execute(
        "select meta_id, ticker, name, isin, security_type, iso_code, marketcap, fee, min_date::text, "
        "created_date is not null, market from tb_meta order by 1"
    ).fetchall() == [
        (1, "SPY", "SPDR S&P 500", "US78462F1030", "ETF", "US", 500_000_000_000, 0.0945, "1993-01-29", True, None),
        (2, "005930", "Samsung", "KR7005930003", "STOCK", "KR", None, None, None, True, None),
    ]
    assert upgraded.execute("select macro_id, fred, description from tb_macro order by 1").fetchall() == [
        (1, "GDP", "Gross domestic product"),
        (2, None, "own series"),
    ]


def test_v2_macro_values_are_seen_through_the_view(upgraded: Connection) -> None:
    assert upgraded.execute("select macro_id, base_date::text, value from tb_macro_data order by 1, 2").fetchall() == [
        (1, "2025-07-01", 30000.5),
        (1, "2025-10-01", 30100.5),
        (2, "2025-10-01", None),
    ]


def test_v2_prices_are_renamed_and_kept_row_for_row(upgraded: Connection) -> None:
    assert upgraded.execute(
        "select meta_id, trade_date::text, close, adj_close, gross_return from tb_price_v2 order by 1, 2"
    ).fetchall() == [
        (1, "2026-03-18", 660.1, 659.5, None),
        (1, "2026-03-19", 661.2, 660.6, 0.0017),
        (2, "2026-03-19", 71200, 71200, None),
    ]
    assert upgraded.execute("select count(*) from tb_macro_data_v2").fetchall() == [(3,)]
    assert upgraded.execute("select count(*) from tb_price").fetchall() == [(0,)]


def test_v2_values_yield_to_freds(upgraded: Connection) -> None:
    """Whatever FRED says is newer than what v2 knew, even of the first day its real-time period allows."""
    load_series(upgraded, vintages(("2025-07-01", "2025-10-30", 29000.0), ("2025-10-01", "1776-07-04", 29100.0)))
    assert upgraded.execute(
        "select base_date::text, value from tb_macro_data where macro_id = 1 order by 1"
    ).fetchall() == [("2025-07-01", 29000.0), ("2025-10-01", 29100.0)]
    assert upgraded.execute("select count(*) from tb_macro_vintage where source = 'v2'").fetchall() == [(3,)]


def test_a_value_of_v2_that_fred_confirms_is_freds_vintage(upgraded: Connection) -> None:
    assert load_series(upgraded, vintages(("2025-07-01", "2025-10-30", 30000.5))).new == 1


@pytest.mark.parametrize(
    ("planted", "named"),
    [
        ("insert into tb_meta (ticker, security_type, iso_code) values ('SPY', 'ETF', 'US')", "tb_meta .*US SPY"),
        ("insert into tb_macro (fred) values ('GDP')", "tb_macro .*GDP"),
    ],
)
def test_duplicates_are_named_and_nothing_is_changed(v2: str, planted: LiteralString, named: str) -> None:
    rows(v2, planted)
    with pytest.raises(SchemaError, match=rf"cannot migrate: {named}.*keep one row of each. Nothing was changed"):
        upgrade(v2)
    assert tables(v2) == ["tb_macro", "tb_macro_data", "tb_meta", "tb_price"]
    assert rows(v2, "select count(*) from tb_price") == [(3,)]
    assert rows(v2, "select to_regclass('insight_schema_version')") == [(None,)]


def test_a_table_in_use_is_a_store_error_and_nothing_is_changed(v2: str) -> None:
    with psycopg.connect(v2) as reader:
        reader.execute("lock table tb_price in access share mode")
        with pytest.raises(StoreError, match=r"not changed: a table is in use\. The lock on tb_price is held by pid"):
            upgrade(v2)
    assert tables(v2) == ["tb_macro", "tb_macro_data", "tb_meta", "tb_price"]


def test_an_alembic_history_of_the_application_is_left_alone(v2: str) -> None:
    rows(v2, "create table alembic_version (version_num varchar(32)); insert into alembic_version values ('abc123')")
    upgrade(v2)
    downgrade(v2, "base")
    assert rows(v2, "select * from alembic_version") == [("abc123",)]
