"""What the tests of this folder share."""

import pytest

from tests.store.v2 import V2, rows


@pytest.fixture
def v2(empty_database: str) -> str:
    """URL of a filled v2 database."""
    rows(empty_database, V2)
    return empty_database
