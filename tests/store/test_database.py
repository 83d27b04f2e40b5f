"""Connections: what fails says where, and never with the password."""

import psycopg
import pytest

from include.insight_invest.errors import ConfigurationError, StoreError
from include.insight_invest.store.database import connect, where
from include.insight_invest.store.faults import first_line


def test_a_connection_is_in_utc_and_waits_30_s_for_a_lock(database: str) -> None:
    with connect(database, application="insight-invest us-price") as connection:
        shown = connection.execute(
            "select current_setting('timezone'), current_setting('lock_timeout'), current_setting('application_name')"
        ).fetchone()
        assert (shown, connection.autocommit) == (("UTC", "30s", "insight-invest us-price"), True)
    assert connection.closed


def test_a_server_that_is_not_there(postgres_server: object) -> None:
    with (
        pytest.raises(StoreError, match=r"cannot connect to the database at 127.0.0.1:1/insight: .*Is it up") as caught,
        connect("postgresql://insight:s3cret@127.0.0.1:1/insight"),
    ):
        pass
    assert "s3cret" not in str(caught.value)


def test_a_wrong_password_is_not_repeated(database: str) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(database)
    wrong = psycopg.conninfo.make_conninfo("", **{**parts, "password": "s3cret"})
    said = r"password authentication failed.*\. Check DATABASE_URL$"
    with pytest.raises(StoreError, match=said) as caught, connect(wrong):
        pass
    assert "s3cret" not in str(caught.value)


def test_something_that_is_no_url_is_not_repeated() -> None:
    with (
        pytest.raises(ConfigurationError, match="not the URL of a Po") as caught,
        connect("postgresql://u:s3cret@[h/x"),
    ):
        pass
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("password", ["sek/ret", "sek@ret", "sek?ret", "sek#ret"])
def test_a_password_that_is_not_percent_encoded_is_not_repeated(password: str) -> None:
    with (
        pytest.raises(ConfigurationError, match="are written %2F") as caught,
        connect(f"postgresql://me:{password}@127.0.0.1:1/d"),
    ):
        pass
    assert "ret" not in str(caught.value)


def test_a_failing_statement_is_a_store_error_and_rolls_its_transaction_back(database: str) -> None:
    statements = "insert into tb_macro (fred) values ('GDP'); select * from tb_nowhere"
    with (
        pytest.raises(StoreError, match=r"UndefinedTable: relation .*; the open transaction was rolled back"),
        connect(database) as connection,
        connection.transaction(),
    ):
        connection.execute(statements)
    with connect(database) as connection:
        assert connection.execute("select count(*) from tb_macro").fetchone() == (0,)


def test_an_error_of_ours_passes_as_it_is(database: str) -> None:
    with pytest.raises(ZeroDivisionError), connect(database):
        raise ZeroDivisionError


def test_where_is_host_port_and_name() -> None:
    assert where("postgresql://ann:s3cret@db.example:6543/insight") == "db.example:6543/insight"
    assert where("postgresql://ann@/insight") == "localhost:5432/insight"
    assert where("nonsense") == "DATABASE_URL (which is not a PostgreSQL URL)"


def test_first_line_leaves_the_statement_out() -> None:
    assert first_line(ValueError("no such column\nLINE 1: select ...")) == "no such column"
    assert first_line(ValueError()) == "ValueError"
