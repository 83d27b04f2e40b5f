"""Alembic's environment: run the scripts on the psycopg connection that ``migrate.py`` opened, in one transaction."""

import psycopg
import sqlalchemy
from alembic import context
from sqlalchemy.pool import StaticPool

from include.insight_invest.store.migrate import VERSION_TABLE

driver_connection: psycopg.Connection = context.config.attributes["connection"]
engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: driver_connection, poolclass=StaticPool)

with engine.connect() as connection:
    context.configure(connection=connection, version_table=VERSION_TABLE, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
