"""The API on a real database: three tickers, a split, a revised macro value, one run."""

from collections.abc import Iterator

import psycopg
import pytest
from starlette.testclient import TestClient

from include.insight_invest.api.application import create_app
from include.insight_invest.settings import load_settings

ROWS = """
insert into tb_meta (meta_id, ticker, name, security_type, iso_code, market) values
    (1, 'AAPL', 'Apple Inc.', 'stock', 'US', 'NASDAQ'),
    (2, '005930', '삼성전자', 'stock', 'KR', 'KOSPI'),
    (3, 'MSFT', 'Microsoft Corporation', 'stock', 'US', 'NASDAQ');
insert into tb_macro (macro_id, fred, description) values (1, 'GDP', 'Gross Domestic Product');
insert into tb_job_run (run_id, job, status, trigger, version, as_of, session_date, started_at, finished_at,
                        rows_new, rows_changed, rows_unchanged, rows_held, requests, tickers, error) values
    (6, 'us-price', 'failed', 'cli', '3.0.0', '2020-08-31T09:00Z', '2020-08-28', '2020-08-31T09:00Z',
     '2020-08-31T09:00:01Z', 0, 0, 0, 0, 1, '{}', 'the source is down'),
    (7, 'us-price', 'succeeded', 'cli', '3.0.0', '2020-09-01T09:00Z', '2020-08-31', '2020-09-01T09:00Z',
     '2020-09-01T09:00:12.5Z', 2, 0, 0, 1, 4, '{"updated": {"AAPL": null}, "empty": {"MSFT": "no bars"}}', null);
-- Apple split 4:1 on 2020-08-31: the first bar was read before it, in the shares of its day.
insert into tb_bar (meta_id, trade_date, open, high, low, close, volume, basis_date, source, currency, observed_at,
                    final, run_id) values
    (1, '2020-08-28', 504, 506, 498, 500, 46907479, '2020-08-28', 'yahoo', 'USD', '2020-08-29T09:00Z', true, 7),
    (1, '2020-08-31', 127, 131, 126, 130, 225702700, '2020-08-31', 'yahoo', 'USD', '2020-09-01T09:00Z', true, 7);
insert into tb_action (meta_id, ex_date, kind, value, basis_date, source, currency, observed_at, run_id) values
    (1, '2020-08-31', 'split', 4, '2020-08-31', 'yahoo', 'USD', '2020-09-01T09:00Z', 7);
insert into tb_macro_vintage (macro_id, base_date, realtime_start, value, source, run_id) values
    (1, '2020-01-01', '1776-07-04', 21001, 'v2', null),
    (1, '2020-01-01', '2020-04-29', 21538, 'fred', 7),
    (1, '2020-01-01', '2020-05-28', 21535, 'fred', 7),
    (1, '2020-04-01', '2020-07-30', 19409, 'fred', 7);
insert into tb_quarantine (run_id, meta_id, ticker, trade_date, source, reason, payload, held_at) values
    (7, 3, 'MSFT', '2020-08-31', 'yahoo', 'high below low', '{"high": 1, "low": 2}', '2020-09-01T09:00Z');
"""


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    """The service on the filled database."""
    with psycopg.connect(database) as connection:
        connection.execute(ROWS)
    with served(database) as client:
        yield client


def served(url: str) -> TestClient:
    """The service on the database at ``url``; enter it to start the service."""
    return TestClient(create_app(load_settings(database_url=url)), raise_server_exceptions=False)
