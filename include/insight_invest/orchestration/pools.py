"""The pools of Airflow that updates take turns in, one a source, from the registry of jobs, and one for backfills.

Airflow never starts a task whose pool does not exist, and says so only in the scheduler's log and as a warning on the
Dag's page: whoever sets Airflow up makes them. ``python -m include.insight_invest.orchestration.pools`` prints them for
``airflow pools import``; with ``set``, as commands, for where a file cannot be put, as on MWAA.
"""

import json
import shlex
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from include.insight_invest.jobs import JOBS

# A source's rate is shared by all processes: two updates of it at once are no faster, and take each other's turns.
# Yahoo bears four requests under way at once, which is what one updater sends.
SLOTS: Final = 1
BACKFILL_POOL: Final = "backfill"  # of the Dag of that name, which asks the source that a run chooses

# A deferred task's updater is at work on ECS meanwhile: it keeps its slot.
POOLS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        name: {"slots": SLOTS, "description": f"updates {what}, one at a time", "include_deferred": True}
        for name, what in (
            *((job.pool, f"from {job.pool}") for job in JOBS.values()),
            (BACKFILL_POOL, "of past ranges"),
        )
    }
)


def commands() -> list[str]:
    """The commands that make the pools, or make them again."""
    return [
        f"airflow pools set --include-deferred {name} {pool['slots']} {shlex.quote(pool['description'])}"
        for name, pool in POOLS.items()
    ]


if __name__ == "__main__":
    said = "\n".join(commands()) if sys.argv[1:] == ["set"] else json.dumps(dict(POOLS), indent=2)
    sys.stdout.write(f"{said}\n")
