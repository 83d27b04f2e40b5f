"""The groups insight_updater and insight_reader (sql/roles.sql), and who could do more than an updater needs."""

from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

UPDATER, READER = "insight_updater", "insight_reader"
_DESTRUCTIVE = """
    select string_agg(relname, ', ' order by relname) from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and relname like 'tb\\_%'
      and (pg_has_role(relowner, 'usage') or has_table_privilege(oid, 'truncate'))
"""


def grant(connection: Connection) -> None:
    """Make the groups where they are missing, and grant each what it needs of this version's schema.

    Whoever calls owns the tables, and may create roles where these are missing. Raises StoreError where not.
    """
    with connection.transaction():
        connection.execute(sql("roles"))


def renew(connection: Connection) -> bool:
    """``grant`` again after a migration, whose tables nobody else may use yet; whether there was anything to renew.

    Only where this database has been granted before: groups are the whole server's, and another database's members
    have no business here.
    """
    row = connection.execute(
        "select exists (select from pg_class, aclexplode(relacl) as a where oid = to_regclass('tb_job_run') "
        "and a.grantee in (to_regrole(%s), to_regrole(%s)))",
        [UPDATER, READER],
    ).fetchone()
    if row != (True,):
        return False
    grant(connection)
    return True


def could_destroy(connection: Connection) -> str | None:
    """The tables that the connection's role could drop or truncate; None where there is none."""
    row = connection.execute(_DESTRUCTIVE).fetchone()
    assert row is not None  # noqa: S101 (an aggregate)
    return None if row[0] is None else str(row[0])
