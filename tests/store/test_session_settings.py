"""What a server, a database or a role has set does not change what is stored."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.fixtures.market import Market


@pytest.fixture
def setting(market: Market, request: pytest.FixtureRequest) -> Iterator[str]:
    """One setting of the database."""
    name = psycopg.conninfo.conninfo_to_dict(market.url)["dbname"]
    market.rows(f'alter database "{name}" set {request.param}')
    yield request.param
    market.rows(f'alter database "{name}" reset all')


@pytest.mark.parametrize(
    "setting",
    [
        "datestyle = 'German'",
        "client_encoding = 'SQL_ASCII'",
        "array_nulls = off",
        "default_transaction_isolation = 'serializable'",
        "timezone = 'Asia/Seoul'",
    ],
    indirect=True,
)
def test_of_the_database(market: Market, setting: str) -> None:
    assert market.run().rows.new == 6
    assert market.run().rows.unchanged == 6
    assert market.run("macro").exit_code == 0
    market.audit()
