"""Every damaged row of the recorded tables is held, and nothing that is true; the page says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from include.insight_invest.store.database import connect
from include.insight_invest.store.ledger import broken_invariants
from include.insight_invest.store.migrate import upgrade
from tests.conftest import SHARED
from tests.fixtures.database import Server
from tests.repair.confusion import Confusion, confusion, is_right, total
from tests.repair.document import DOCUMENT, document

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def counted(postgres_server: Server) -> Iterator[list[Confusion]]:
    """The confusion table, and the invariants after it."""
    if not SHARED.is_dir():
        pytest.skip(f"recorded data is not at {SHARED}")
    url = postgres_server.create("repair")
    upgrade(url)
    with connect(url, application="test") as connection:
        yield confusion(connection, SHARED)
        assert broken_invariants(connection, "us-price") == []


def test_every_damaged_row_is_held_and_none_that_is_true(counted: list[Confusion]) -> None:
    assert [row.table for row in counted if row.missed] == []
    assert [row.table for row in counted if row.false_alarms] == []
    assert [row.table for row in counted if row.untouched + row.without_fields + row.put_right != row.clean] == []


def test_the_tables_that_are_right_load_whole(counted: list[Confusion]) -> None:
    """But for fields that cannot be, and rows without a single price."""
    right = total([row for row in counted if is_right(row)])
    assert (right.rows, right.damaged, right.quarantined, right.false_alarms) == (9211, 0, 0, 0)
    assert (right.clean, right.untouched, right.without_fields, right.put_right) == (9300, 9160, 134, 6)
    assert right.without_price == 4


def test_the_proposal_is_what_the_mended_table_says(counted: list[Confusion]) -> None:
    """Of KAP-IL's second dividend there is none: the mended table has no dividend there."""
    wrong = [(row.table, row.damaged - row.proposed) for row in counted if row.damaged != row.proposed]
    assert wrong == [("KAP-IL-1d-bad-div", 1)]
    assert total(counted).damaged == 82


def test_damage_in_the_adjusted_column_has_no_effect(counted: list[Confusion]) -> None:
    rows = {row.table: row for row in counted}
    only_adjusted = [row for row in counted if row.adjusted_only and not row.damaged]
    assert [row.table for row in only_adjusted] == [
        "1398-HK-1d-bad-div",
        "8TRA-DE-1d-missing-div-adjust",
        "ADIG-L-1d-bad-div",
        "CLC-L-1d-bad-div",
        "RGL-L-1d-bad-div",
    ]
    for row in only_adjusted:
        right = rows[f"{row.table}-fixed"]
        assert (row.untouched, row.without_fields, row.put_right) == (
            right.untouched,
            right.without_fields,
            right.put_right,
        )


def test_the_page_is_what_the_command_writes(counted: list[Confusion]) -> None:
    page = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    assert page == document(counted), "run `python -m tests.repair --write`"
