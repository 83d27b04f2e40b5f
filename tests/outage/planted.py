"""Errors of the server that are hard to bring about, raised by a trigger."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.fixtures.market import Market


@contextmanager
def planted(market: Market, state: str, *, times: int = 1) -> Iterator[None]:
    """The first inserts into tb_bar fail with the SQLSTATE ``state``; a sequence counts on where one is undone."""
    with psycopg.connect(market.url, autocommit=True) as connection:
        connection.execute(
            f"""
            create schema failures;
            create sequence failures.tries;
            create function failures.fail() returns trigger language plpgsql as $$ begin
                if nextval('failures.tries') <= {times} then
                    raise exception 'planted' using errcode = '{state}';
                end if;
                return null; end $$;
            create trigger fail before insert on tb_bar for each statement execute function failures.fail();
            """.encode()
        )
        try:
            yield
        finally:
            connection.execute("drop schema failures cascade")
