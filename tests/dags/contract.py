"""What each Dag is, written out: a change of jobs.py or of a builder that changes a Dag must change this too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

RUN_PARAMS = frozenset({"dry_run", "tickers", "start", "end", "full_refresh"})
UPDATER_FLOW = {"prepare": {"update", "audit"}, "update": {"audit"}, "audit": set[str]()}
TUESDAY_TO_SATURDAY = ("Tue", "Wed", "Thu", "Fri", "Sat")
MONDAY_TO_FRIDAY = ("Mon", "Tue", "Wed", "Thu", "Fri")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One Dag. ``fires`` is (hour in UTC, weekdays in UTC), None where no clock starts it."""

    file: str
    fires: tuple[int, tuple[str, ...]] | None
    time_out: timedelta
    tags: frozenset[str]
    flow: Mapping[str, set[str]]
    params: frozenset[str] = frozenset()
    pools: Mapping[str, str] = field(default_factory=dict)  # of tasks that are not in the default pool
    inlets: frozenset[str] = frozenset()  # assets that start it
    outlets: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)  # trigger rules other than all_success
    deadlines: frozenset[tuple[str, timedelta]] = frozenset()


def _updater(
    file: str, *, hour: int, days: tuple[str, ...], minutes: int, due_minutes: int, market: str, pool: str, asset: str
) -> Contract:
    return Contract(
        file=file,
        fires=(hour, days),
        time_out=timedelta(minutes=minutes),
        tags=frozenset({"updater", *market.split()}),
        flow=UPDATER_FLOW,
        params=RUN_PARAMS,
        pools={"update": pool},
        outlets={"audit": asset},
        deadlines=frozenset(
            {
                ("DagRunQueuedAtDeadline", timedelta(minutes=minutes)),
                ("DagRunLogicalDateDeadline", timedelta(minutes=due_minutes)),
            }
        ),
    )


CONTRACTS: Mapping[str, Contract] = MappingProxyType(
    {
        "us_price_updater": _updater(
            "us_price.py", hour=9, days=TUESDAY_TO_SATURDAY, minutes=30, due_minutes=90, market="prices us",
            pool="yahoo", asset="us_prices",
        ),
        "kr_price_updater": _updater(
            "kr_price.py", hour=21, days=MONDAY_TO_FRIDAY, minutes=30, due_minutes=90, market="prices kr", pool="krx",
            asset="kr_prices",
        ),
        "macro_updater": _updater(
            "macro.py", hour=23, days=("Sun", *MONDAY_TO_FRIDAY), minutes=15, due_minutes=60, market="macro us",
            pool="fred", asset="us_macro",
        ),
    }
)  # fmt: skip
