"""What runs on a laptop: a real PostgreSQL, the demonstration's data, Airflow's components. None of it goes to AWS."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Where everything that runs here keeps its files; tests give themselves another.
LOCAL = Path(os.environ.get("INSIGHT_LOCAL") or ROOT / ".local")


def shown(path: Path) -> str:
    """``path`` as a person in the checkout would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
