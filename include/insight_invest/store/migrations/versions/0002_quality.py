"""Data quality: suspected closures, gaps, delistings, renames, disagreements, held actions, notes in the ledger."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent


def upgrade() -> None:
    """From 0001; rows stay as they are."""
    _run("0002_up.sql")


def downgrade() -> None:
    """Back to 0001; the tables that it does not know are kept in the schema ``insight_archive_0002``."""
    _run("0002_down.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((_SQL / name).read_text(encoding="utf-8").replace("%", "%%"))
