"""Bars, actions, vintages and the ledger; ``tb_price`` and ``tb_macro_data`` become views over them.

On a v2 database the definitions and the macro values are taken over and the old tables are renamed and kept.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent


def upgrade() -> None:
    """From nothing, or from Insight-Invest v2."""
    _run("0001_up.sql")


def downgrade() -> None:
    """Back to v2; what was stored since is kept in the schema ``insight_archive``."""
    _run("0001_down.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((_SQL / name).read_text(encoding="utf-8").replace("%", "%%"))
