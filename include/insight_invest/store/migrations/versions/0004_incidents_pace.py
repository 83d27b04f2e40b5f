"""What an operator was told (tb_incident), and one pace of requests for all processes (insight_request_pace)."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent


def upgrade() -> None:
    """From 0003."""
    _run("0004_up.sql")


def downgrade() -> None:
    """Back to 0003; incidents are set aside, the pace is dropped."""
    _run("0004_down.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((_SQL / name).read_text(encoding="utf-8").replace("%", "%%"))
