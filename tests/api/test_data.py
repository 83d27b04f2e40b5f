"""What the API serves: definitions, prices, macro series, status."""

import pytest
from starlette.testclient import TestClient


def test_meta_goes_page_by_page(client: TestClient) -> None:
    first = client.get("/api/meta", params={"limit": 2}).json()
    assert [(item["meta_id"], item["ticker"]) for item in first["items"]] == [(1, "AAPL"), (2, "005930")]
    assert first["next"] == 2
    last = client.get("/api/meta", params={"limit": 2, "after": first["next"]}).json()
    assert [(item["meta_id"], item["ticker"]) for item in last["items"]] == [(3, "MSFT")]
    assert last["next"] is None


def test_meta_of_one_country(client: TestClient) -> None:
    assert client.get("/api/meta", params={"iso_code": "KR"}).json() == {
        "items": [
            {
                "meta_id": 2,
                "ticker": "005930",
                "name": "삼성전자",
                "isin": None,
                "security_type": "stock",
                "asset_class": None,
                "sector": None,
                "iso_code": "KR",
                "market": "KOSPI",
                "marketcap": None,
                "fee": None,
                "remark": None,
            }
        ],
        "next": None,
    }


def test_prices_are_in_todays_shares(client: TestClient) -> None:
    answer = client.get("/api/price/1", params={"start": "2020-08-28", "end": "2020-08-31"})
    assert answer.json() == {
        "meta_id": 1,
        "start": "2020-08-28",
        "end": "2020-08-31",
        "prices": [
            {
                "trade_date": "2020-08-28",
                "open": 126.0,
                "high": 126.5,
                "low": 124.5,
                "close": 125.0,
                "volume": 187629916.0,
                "adj_close": 125.0,
                "gross_return": None,
                "currency": "USD",
            },
            {
                "trade_date": "2020-08-31",
                "open": 127.0,
                "high": 131.0,
                "low": 126.0,
                "close": 130.0,
                "volume": 225702700.0,
                "adj_close": 130.0,
                "gross_return": pytest.approx(0.04),
                "currency": "USD",
            },
        ],
    }


def test_prices_outside_the_range_are_left_out(client: TestClient) -> None:
    answer = client.get("/api/price/1", params={"start": "2020-08-29", "end": "2020-09-01"})
    assert [price["trade_date"] for price in answer.json()["prices"]] == ["2020-08-31"]


def test_prices_without_start_are_of_the_year_before_end(client: TestClient) -> None:
    answer = client.get("/api/price/2", params={"end": "2020-09-01"}).json()
    assert answer == {"meta_id": 2, "start": "2019-09-02", "end": "2020-09-01", "prices": []}


@pytest.mark.parametrize(
    ("as_of", "known"),
    [
        ("2020-04-28", []),  # v2's undated value does not count: when it became known is not known
        ("2020-05-27", [("2020-01-01", 21538.0, "2020-04-29")]),
        ("2020-05-28", [("2020-01-01", 21535.0, "2020-05-28")]),
        (None, [("2020-01-01", 21535.0, "2020-05-28"), ("2020-04-01", 19409.0, "2020-07-30")]),
    ],
)
def test_a_series_as_it_was_known(client: TestClient, as_of: str | None, known: list[tuple[str, float, str]]) -> None:
    answer = client.get("/api/macro/GDP", params={"as_of": as_of} if as_of else {}).json()
    assert {name: answer[name] for name in ("fred", "description", "as_of")} == {
        "fred": "GDP",
        "description": "Gross Domestic Product",
        "as_of": as_of,
    }
    assert [
        tuple(row[name] for name in ("base_date", "value", "realtime_start")) for row in answer["observations"]
    ] == (known)


def test_status_is_the_last_run_of_each_job_and_the_holdings(client: TestClient) -> None:
    assert client.get("/api/status").json() == {
        "jobs": [
            {
                "job": "us-price",
                "run_id": 7,
                "status": "succeeded",
                "session_date": "2020-08-31",
                "started_at": "2020-09-01T09:00:00Z",
                "seconds": 12.5,
                "tickers": 2,
                "rows_new": 2,
                "rows_changed": 0,
                "rows_unchanged": 0,
                "rows_held": 1,
                "requests": 4,
                "error": None,
            }
        ],
        "holdings": [
            {"name": "KR", "items": 1, "items_with_data": 0, "newest": None},
            {"name": "US", "items": 2, "items_with_data": 1, "newest": "2020-08-31"},
            {"name": "macro", "items": 1, "items_with_data": 1, "newest": "2020-04-01"},
        ],
        "held_rows": 1,
    }
