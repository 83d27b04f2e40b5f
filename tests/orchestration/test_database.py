"""The Airflow connection as a URL for libpq."""

import psycopg
import pytest
from airflow.sdk import Connection

from include.insight_invest.orchestration.database import connection_url


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgres://me:secret@db:5433/insight", "postgresql://me:secret@db:5433/insight"),
        ("postgresql://me@db/insight", "postgresql://me@db:5432/insight"),
        ("postgres://me:p%40ss%2Fw%25rd@db/insight", "postgresql://me:p%40ss%2Fw%25rd@db:5432/insight"),
        (
            "postgres://me:x@db/insight?sslmode=verify-full&sslrootcert=%2Fetc%2Frds.pem",
            "postgresql://me:x@db:5432/insight?sslmode=verify-full&sslrootcert=%2Fetc%2Frds.pem",
        ),
        # an extra that is not libpq's, and one that is not text
        ("postgres://me:x@db/insight?cursor=dictcursor", "postgresql://me:x@db:5432/insight"),
        ("postgres://me:x@db/insight?__extra__=%7B%22iam%22%3A+true%7D", "postgresql://me:x@db:5432/insight"),
    ],
)
def test_a_connection_is_a_url_that_libpq_reads(uri: str, expected: str) -> None:
    url = connection_url(Connection.from_uri(uri, conn_id="insight_invest"))
    assert url == expected
    assert psycopg.conninfo.conninfo_to_dict(url)["dbname"] == "insight"
