"""What each role may not do: the server refuses it with 42501, whatever the code above might try."""

from contextlib import nullcontext
from typing import LiteralString

import psycopg
import pytest

from include.insight_invest.store import roles
from include.insight_invest.store.database import connect
from tests.fixtures.market import Market
from tests.roles.conftest import Logins

NOBODY: list[LiteralString] = [
    "drop table tb_bar cascade",
    "drop table tb_gap cascade",
    "drop view tb_price",
    "drop index tb_job_run_job",
    "drop schema public cascade",
    "drop owned by insight",
    "truncate tb_bar",
    "truncate tb_job_run",
    "truncate tb_macro_vintage cascade",
    "alter table tb_bar add column more integer",
    "alter table tb_bar drop column volume cascade",
    "alter table tb_bar disable trigger all",
    "alter table tb_bar drop constraint tb_bar_pkey",
    "alter table tb_bar rename to tb_rab",
    "alter table tb_bar owner to current_user",
    "alter view tb_price set (security_barrier)",
    "alter view tb_price rename to more",
    "create table more (number integer)",
    "create view more as select 1",
    "create schema more",
    "create index more on tb_bar (close)",
    "create function more() returns integer language sql as 'select 1'",
    "create trigger more before insert on tb_bar execute function suppress_redundant_updates_trigger()",
    "create rule more as on delete to tb_bar do instead nothing",
    "create policy more on tb_bar",
    "reindex table tb_bar",
    "comment on table tb_bar is 'mine'",
    "delete from tb_bar",
    "delete from tb_job_run",
    "delete from tb_quarantine",
    "delete from tb_action",
    "update tb_bar_revision set close = 1",
    "delete from tb_bar_revision",
    "update tb_macro_revision set value = 1",
    "insert into tb_macro (fred) values ('MORE')",
    "delete from tb_macro",
    "update insight_schema_version set version_num = '0001'",
    "delete from insight_schema_version",
    "copy tb_bar to program 'cat'",
    "copy tb_meta (ticker) from program 'id'",
    "copy tb_meta (ticker) from '/etc/passwd'",
    "copy tb_bar to '/tmp/bars'",
    "select pg_read_file('/etc/passwd')",
    "select pg_ls_dir('.')",
    "select pg_reload_conf()",
    "alter system set fsync = off",
    "set session_replication_role = replica",
    "set role insight",
    "set session authorization insight",
    "create role more",
    "alter role current_user superuser",
    "alter role insight password 'mine'",
    "grant insight_reader to insight_updater",
    "create database more",
    "alter database recycled set search_path = more",
]
READER: list[LiteralString] = [
    "insert into tb_meta (ticker, security_type, iso_code) values ('MORE', 'ETF', 'US')",
    "insert into tb_job_run (job, status, trigger, version, as_of, started_at) "
    "values ('macro', 'running', 'test', '3', now(), now())",
    "insert into tb_bar select * from tb_bar",
    "update tb_bar set close = close + 1",
    "update tb_meta set name = 'mine'",
    "update tb_job_run set status = 'lost'",
    "update tb_quarantine set status = 'released'",
    "update tb_macro set status = 'unknown'",
    "delete from tb_meta",
    "delete from tb_macro_vintage",
    "delete from tb_gap",
    "delete from tb_absence",
    "merge into tb_gap using tb_meta on false when matched then delete",
    "copy tb_gap from stdin",
    "select * from tb_bar for update",
    "lock table tb_bar in exclusive mode",
    "lock table tb_bar in access exclusive mode",
]


def allowed(url: str, statements: list[LiteralString]) -> dict[str, str]:
    """Those of ``statements`` that are not refused for want of a privilege, with what became of each."""
    found = {}
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            try:
                alone = statement.startswith(("alter system", "create database"))
                with nullcontext() if alone else connection.transaction(force_rollback=True):
                    connection.execute(statement)
                found[statement] = "done"
            except psycopg.errors.InsufficientPrivilege:
                pass
            except psycopg.Error as error:
                found[statement] = str(error)
    return found


class TestForbidden:
    """All of it in one database: a login costs more than a refusal."""

    def test_to_an_updater(self, logins: Logins) -> None:
        assert len(NOBODY) >= 20
        assert allowed(logins.updater, NOBODY) == {}

    def test_to_a_reader(self, logins: Logins) -> None:
        assert allowed(logins.reader, [*NOBODY, *READER]) == {}

    def test_the_owner_may(self, logins: Logins) -> None:
        """A list of statements that nobody could run would prove nothing."""
        server: tuple[str, ...] = ("drop owned", "copy", "alter system", "alter database", "create database", "set ")
        tried = [statement for statement in NOBODY if not statement.startswith(server)]
        assert len(tried) >= 40
        assert set(allowed(logins.owner, tried).values()) == {"done"}

    def test_another_session_of_the_owner_is_not_ended(self, logins: Logins) -> None:
        with psycopg.connect(logins.owner) as owner:
            for url in (logins.updater, logins.reader):
                with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute("select pg_terminate_backend(%s)", [owner.info.backend_pid])

    def test_nothing_is_handed_on(self, logins: Logins) -> None:
        """A grant without the right to grant is a warning, and void."""
        for url in (logins.updater, logins.reader):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("grant select on tb_bar to public")
        with psycopg.connect(logins.owner) as owner:
            acl = owner.execute("select relacl::text from pg_class where oid = 'tb_bar'::regclass").fetchone()
            assert acl is not None
            assert "{=" not in str(acl[0])
            assert ",=" not in str(acl[0])


class TestGrants:
    """``db roles``."""

    def test_again_changes_nothing(self, logins: Logins) -> None:
        def granted() -> object:
            with psycopg.connect(logins.owner) as owner:
                return owner.execute(
                    "select relname, relacl::text from pg_class where relnamespace = 'public'::regnamespace "
                    "and relkind in ('r', 'v') order by 1"
                ).fetchall()

        before = granted()
        with connect(logins.owner) as owner:
            roles.grant(owner)
        assert granted() == before

    def test_every_table_and_view_is_read_by_both_and_written_by_updaters(self, logins: Logins) -> None:
        """A table that a later version adds must be named in sql/roles.sql."""
        with psycopg.connect(logins.owner) as owner:
            unread = owner.execute(
                "select relname from pg_class, unnest(array['insight_reader', 'insight_updater']) as role "
                "where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'p', 'm') "
                "and not has_table_privilege(role, oid, 'select')"
            ).fetchall()
            unwritten = owner.execute(
                "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') "
                "and not has_table_privilege('insight_updater', oid, 'insert') order by 1"
            ).fetchall()
        assert unread == []
        assert unwritten == [("insight_schema_version",), ("tb_macro",)]

    def test_what_a_database_from_before_15_lets_everybody_do_is_taken_away(self, logins: Logins) -> None:
        with connect(logins.owner) as owner:
            owner.execute("grant create on schema public to public")
            roles.grant(owner)
        assert allowed(logins.updater, ["create table more (number integer)"]) == {}

    def test_what_somebody_has_given_beside_is_taken_back(self, logins: Logins) -> None:
        with connect(logins.owner) as owner:
            owner.execute("grant create on schema public to insight_updater")
            owner.execute("grant delete, truncate on tb_bar to insight_updater")
            owner.execute("grant insert on tb_meta to public")
            roles.grant(owner)
        assert allowed(logins.updater, ["create table more (number integer)", "delete from tb_bar"]) == {}
        assert allowed(logins.reader, [READER[0]]) == {}

    def test_a_database_that_was_never_granted_stays_so(self, logins: Logins, market: Market) -> None:
        """The groups are the whole server's: an upgrade of another database lets nobody into it."""
        with connect(market.url) as owner:
            assert roles.renew(owner)
            owner.execute("drop owned by insight_updater, insight_reader")
            assert not roles.renew(owner)
        assert allowed(logins.reader, ["select * from tb_bar"]) == {}

    def test_who_could_destroy(self, logins: Logins) -> None:
        found = []
        for url in (logins.owner, logins.updater, logins.reader):
            with connect(url) as connection:
                found.append(roles.could_destroy(connection))
        assert found[1:] == [None, None]
        assert "tb_bar, tb_bar_revision" in str(found[0])
