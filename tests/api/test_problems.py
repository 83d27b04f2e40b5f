"""Every error is a problem, and none says more than it should."""

import psycopg
import pytest
from starlette.testclient import TestClient

from include.insight_invest.api import dependencies
from include.insight_invest.errors import StoreError
from include.insight_invest.store import read
from tests.api.conftest import served


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/nowhere", 404, "Not Found"),
        ("/api/price/99", 404, "there is no ticker with meta_id 99"),
        ("/api/macro/NOSUCH", 404, "there is no series NOSUCH"),
        ("/api/price/x", 422, "meta_id: Input should be a valid integer, unable to parse string as an integer"),
        ("/api/price/3000000000", 422, "meta_id: Input should be less than or equal to 2147483647"),
        ("/api/price/1?start=2020-09-01&end=2020-08-01", 422, "start 2020-09-01 is after end 2020-08-01"),
        (
            "/api/price/1?start=2000-01-01&end=2020-01-01",
            422,
            "2000-01-01 to 2020-01-01 is more than 3660 days: ask for less at a time",
        ),
        ("/api/price/1?end=0001-01-01", 422, "end: Input should be greater than or equal to 1900-01-01"),
        ("/api/macro/GDP?as_of=yesterday", 422, "as_of: Input should be a valid date or datetime, input is too short"),
        ("/api/macro/G%00P", 422, "fred: String should match pattern '^[A-Za-z0-9_.-]{1,50}$'"),
        ("/api/meta?limit=1001", 422, "limit: Input should be less than or equal to 1000"),
        ("/api/meta?iso_code=kr", 422, "iso_code: String should match pattern '^[A-Z]{2}$'"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(client: TestClient, path: str, status: int, detail: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["status"], answer.json()["detail"]) == (status, status, detail)


def test_only_reading_is_offered(client: TestClient) -> None:
    answer = client.post("/api/meta")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.json()["title"] == "Method Not Allowed"


def test_a_statement_that_takes_too_long_ends(
    client: TestClient, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "STATEMENT_SECONDS", 0.1)
    with psycopg.connect(database) as other:
        other.execute("lock table tb_meta in access exclusive mode")
        answer = client.get("/api/meta")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert answer.json()["detail"] == "the database took too long to answer"
    assert client.get("/api/meta").status_code == 200


def test_a_mistake_of_ours_says_nothing_of_the_database(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("drop view tb_price; create view tb_price as select 1 / (meta_id - meta_id) as meta_id, "
                           "current_date as trade_date, 1 as open, 1 as high, 1 as low, 1 as close, 1 as volume, "
                           "1 as adj_close, 1 as gross_return, 'USD' as currency from tb_meta")  # fmt: skip
        connection.execute(
            "insert into tb_meta (meta_id, ticker, security_type, iso_code) values (1, 'A', 'stock', 'US')"
        )
    with served(database) as client:
        answer = client.get("/api/price/1")
    assert answer.status_code == 500
    assert answer.json()["detail"] == "the service made a mistake; it is in its log"


def test_the_reader_cannot_write(database: str) -> None:
    with (
        pytest.raises(StoreError, match="read-only transaction"),
        read.reader(database, application="test", statement_seconds=1) as connection,
    ):
        connection.execute("insert into tb_macro (fred) values ('GDP')")


def test_every_operation_declares_its_problems(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert sorted(paths) == ["/", "/api/macro/{fred}", "/api/meta", "/api/price/{meta_id}", "/api/status", "/health",
                             "/health/ready"]  # fmt: skip
    for path, operations in paths.items():
        assert list(operations) == ["get"]
        for status in ("422", "500", "503"):
            assert list(operations["get"]["responses"][status]["content"]) == ["application/problem+json"], path
