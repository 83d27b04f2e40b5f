"""A market, and two logins to its database: one of an updater, one of a reader."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
import pytest

from include.insight_invest.store import roles
from include.insight_invest.store.database import connect
from tests.fixtures.market import Market

UPDATER, READER = "test_updater", "test_reader"


@dataclass(frozen=True)
class Logins:
    """The database's URL as the owner, an updater and a reader see it."""

    owner: str
    updater: str
    reader: str


@pytest.fixture
def logins(market: Market) -> Iterator[Logins]:
    """``db roles`` has been run, and an operator has made the logins."""
    with connect(market.url) as owner:
        roles.grant(owner)
        owner.execute("create role test_updater login password 'u' in role insight_updater")
        owner.execute("create role test_reader login password 'r' in role insight_reader")
    rest = market.url.split("@")[1]
    yield Logins(market.url, f"postgresql://{UPDATER}:u@{rest}", f"postgresql://{READER}:r@{rest}")
    with psycopg.connect(market.url, autocommit=True) as owner:
        for role in (UPDATER, READER, roles.UPDATER, roles.READER):
            owner.execute(f"drop owned by {role}; drop role {role}".encode())


@pytest.fixture
def as_updater(market: Market, logins: Logins) -> Market:
    """The market whose jobs log in as the updater."""
    return replace(market, url=logins.updater)
