"""33 sessions of the whole Korean market: who left and who came, against what KRX itself published."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from include.insight_invest.store.database import Connection
from include.insight_invest.store.listed import define_listing, record_listing
from include.insight_invest.store.load import LoadContext
from tests.store.rows import instant

CONTEXT = LoadContext(1, instant("2026-03-20 09"))


@pytest.fixture
def market(connection: Connection, shared_data: Path) -> Connection:
    """Every session from 2026-01-02 to 2026-02-20, recorded in its order."""
    rows = pd.read_parquet(shared_data / "marcap" / "marcap-2026.parquet", columns=["Date", "Code", "Name", "Market"])
    shares = rows.rename(columns={"Code": "ticker", "Name": "name"}).assign(security_type="STOCK", iso_code="KR")
    shares["market"] = shares["Market"].str.split().str[0]
    told: list[str] = []
    for day, listing in shares.groupby(pd.to_datetime(shares["Date"]).dt.date):
        assert isinstance(day, date)
        with connection.transaction():
            define_listing(connection, listing, iso_code="KR", session=day, context=CONTEXT)
            told += record_listing(connection, "KR", day, set(listing["ticker"]), "krx", CONTEXT)
    assert sum("was delisted" in note for note in told) == 24
    return connection


def test_who_left_and_who_came(market: Connection, shared_data: Path) -> None:
    """25 shares left, and KRX published the same days; the last of them has been absent from four listings only."""
    published = pd.read_csv(shared_data / "krx_listing" / "delisting-2026-03-20.csv", dtype=str)
    is_share = published["SecuGroup"] == "주권"
    shares = published[is_share & published["DelistingDate"].between("2026-01-03", "2026-02-20")]
    expected = dict(zip(shares["Symbol"], shares["DelistingDate"], strict=True))
    assert len(expected) == 25
    assert expected.pop("019440") == "2026-02-12"
    assert found(market, "delisted_on") == expected
    assert found(market, "listed_from") == {
        "0004V0": "2026-01-14",
        "493330": "2026-01-14",
        "0115H0": "2026-01-21",
        "0001A0": "2026-01-30",
    }


def found(connection: Connection, column: str) -> dict[Any, Any]:
    query = f"select ticker, {column}::text from tb_meta where {column} is not null".encode()
    return dict(connection.execute(query).fetchall())  # type: ignore[arg-type]
