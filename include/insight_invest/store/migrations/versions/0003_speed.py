"""Reading and loading at the speed of PostgreSQL: watermarks, adjustment factors a ticker, an index of sessions."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent


def upgrade() -> None:
    """From 0002; what is derived is derived anew."""
    _run("0003_up.sql")


def downgrade() -> None:
    """Back to 0002; only what is derived is dropped."""
    _run("0003_down.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((_SQL / name).read_text(encoding="utf-8").replace("%", "%%"))
