"""Back to v2, and up again: nothing is lost in either direction."""

from typing import LiteralString

import psycopg
import pytest

from include.insight_invest.store.database import connect
from include.insight_invest.store.migrate import downgrade, require_current, upgrade
from tests.store.rows import actions, bars, load, load_series, vintages
from tests.store.v2 import NEW_TABLES, rows, tables


def v2_content(url: str) -> list[list[tuple[object, ...]]]:
    return [
        rows(url, "select meta_id, ticker, name, isin, fee, min_date, created_date from tb_meta order by 1"),
        rows(url, "select * from tb_price order by 1, 2"),
        rows(url, "select macro_id, fred, description from tb_macro order by 1"),
        rows(url, "select * from tb_macro_data order by 1, 2"),
    ]


def test_the_downgrade_restores_v2_row_for_row(v2: str) -> None:
    before = v2_content(v2)
    upgrade(v2)
    downgrade(v2, "base")
    assert tables(v2) == ["tb_macro", "tb_macro_data", "tb_meta", "tb_price"]
    assert v2_content(v2) == before
    rows(v2, "insert into tb_price (meta_id, trade_date, close) values (1, '2026-03-20', 662)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        rows(v2, "insert into tb_price (meta_id, trade_date, close) values (1, '2026-03-20', 662)")


def filled(url: str) -> None:
    """What two runs load: bars with a correction, a split, vintages, a row in quarantine."""
    with connect(url) as connection:
        split = actions(("2026-03-19", "split", 2.0, "2026-03-19"))
        load(connection, bars(("2026-03-18", 10, 12, 9, 11, 1000, "2026-03-18")), split)
        load(connection, bars(("2026-03-18", 10, 12, 9, 11.5, 1000, "2026-03-18")))
        load_series(connection, vintages(("2025-10-01", "2026-01-30", 30200.5)))
        connection.execute(
            "insert into tb_quarantine (run_id, meta_id, ticker, trade_date, source, reason, payload, held_at) "
            "values (1, 1, 'SPY', '2026-03-19', 'yahoo', 'no close', '{}', now())"
        )
        connection.execute(
            "insert into tb_gap (meta_id, trade_date, state, run_id, found_at) "
            "values (1, '2026-03-20', 'open', 1, now())"
        )


def test_what_was_loaded_survives_down_and_up(v2: str) -> None:
    upgrade(v2)
    filled(v2)
    queries: list[LiteralString] = [
        "select * from tb_bar",
        "select * from tb_bar_revision",
        "select * from tb_action",
        "select * from tb_job_run order by run_id",
        "select * from tb_quarantine",
        "select * from tb_macro_vintage order by 1, 2, 3",
        "select * from tb_gap",
        "select * from tb_price",
        "select * from tb_macro_data order by 1, 2",
        "select * from tb_price_v2 order by 1, 2",
    ]
    before = [rows(v2, query) for query in queries]
    assert all(before)
    downgrade(v2, "base")
    archived = rows(
        v2, "select relname from pg_class where relkind = 'r' and relnamespace = 'insight_archive'::regnamespace"
    )
    assert sorted(str(row[0]) for row in archived) == NEW_TABLES
    upgrade(v2)
    assert [rows(v2, query) for query in queries] == before
    assert rows(v2, "select to_regnamespace('insight_archive'), to_regnamespace('insight_archive_0002')") == [
        (None, None)
    ]
    filled_again = rows(v2, "insert into tb_job_run (job, status, trigger, version, as_of, started_at) "
                            "values ('macro', 'running', 'test', '3', now(), now()) returning run_id")  # fmt: skip
    assert filled_again == [(4,)]


def test_what_v2_wrote_in_between_is_taken_over(v2: str) -> None:
    upgrade(v2)
    downgrade(v2, "base")
    rows(v2, "update tb_macro_data set value = 30001.5 where base_date = '2025-07-01'")
    rows(v2, "insert into tb_price (meta_id, trade_date, close) values (1, '2026-03-20', 662)")
    upgrade(v2)
    assert rows(v2, "select value from tb_macro_data where base_date = '2025-07-01'") == [(30001.5,)]
    assert rows(v2, "select count(*) from tb_price_v2") == [(4,)]


def test_one_step_back_keeps_what_0001_does_not_know(v2: str) -> None:
    upgrade(v2)
    filled(v2)
    before = rows(v2, "select * from tb_gap")
    downgrade(v2, "0001")
    assert rows(v2, "select to_regclass('tb_gap'), count(*) from tb_quarantine") == [(None, 1)]
    upgrade(v2)
    assert rows(v2, "select * from tb_gap") == before


def test_an_empty_database_goes_down_and_up_too(empty_database: str) -> None:
    upgrade(empty_database)
    downgrade(empty_database, "base")
    assert tables(empty_database) == ["tb_macro", "tb_meta"]
    upgrade(empty_database)
    with connect(empty_database) as connection:
        require_current(connection)


def test_a_schema_other_than_public(empty_database: str) -> None:
    """Where the role's search_path leads, and there again after a downgrade."""
    rows(empty_database, "create schema invest; alter database empty set search_path = invest")
    for step in (upgrade, lambda url: downgrade(url, "base"), upgrade):
        step(empty_database)
    placed = rows(
        empty_database,
        "select distinct relnamespace::regnamespace::text from pg_class "
        "where relname like 'tb\\_%' and relkind in ('r', 'v')",
    )
    assert placed == [("invest",)]


def test_rows_that_are_the_same_to_seven_figures_become_one_row(v2: str) -> None:
    """0001 told two reads apart by their volume: the decided one stays, or else the newest."""
    upgrade(v2)
    downgrade(v2, "0001")
    rows(
        v2,
        "insert into tb_quarantine (run_id, meta_id, ticker, trade_date, source, reason, payload, status, held_at) "
        "select 1, 1, 'SPY', day::date, 'yahoo', 'odd', jsonb_build_object('close', 5.0, 'volume', volume), status, "
        "now() from (values ('2026-03-18', 1, 'held'), ('2026-03-18', 2, 'held'), ('2026-03-19', 3, 'rejected'), "
        "('2026-03-19', 4, 'held')) as r (day, volume, status)",
    )
    upgrade(v2)
    assert rows(v2, "select payload ->> 'volume', status from tb_quarantine order by 1") == [
        ("2", "held"),
        ("3", "rejected"),
    ]
