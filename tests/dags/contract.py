"""What each Dag is, written out: a change of jobs.py or of a builder that changes a Dag must change this too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

RUN_PARAMS = frozenset({"dry_run", "tickers", "start", "end", "full_refresh"})
UPDATER_FLOW = {"prepare": {"update", "audit"}, "update": {"audit"}, "audit": set[str]()}
TUESDAY_TO_SATURDAY = ("Tue", "Wed", "Thu", "Fri", "Sat")
MONDAY_TO_FRIDAY = ("Mon", "Tue", "Wed", "Thu", "Fri")
EVERY_DAY = ("Sun", *MONDAY_TO_FRIDAY, "Sat")
ALL_ASSETS = frozenset({"us_prices", "kr_prices", "us_macro"})


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


def _in_time(after: timedelta) -> frozenset[tuple[str, timedelta]]:
    return frozenset({("DagRunQueuedAtDeadline", after)})


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
        "universe_sync": Contract(
            file="universe_sync.py",
            fires=(3, ("Sun",)),
            time_out=timedelta(minutes=15),
            tags=frozenset({"universe", "us", "kr"}),
            flow={"sync_us": set(), "sync_kr": set()},
            pools={"sync_us": "yahoo", "sync_kr": "krx"},
            deadlines=_in_time(timedelta(minutes=45)),
        ),
        "data_integrity": Contract(
            file="data_integrity.py",
            fires=(1, EVERY_DAY),
            time_out=timedelta(minutes=15),
            tags=frozenset({"quality"}),
            flow={
                name: set()
                for name in ("freshness", "last_runs", "gaps", "closures", "second_sources", "quarantine", "invariants")
            },
            params=frozenset({"held_days", "closure_days", "gap_percent", "disagreements"}),
            inlets=ALL_ASSETS,
            deadlines=_in_time(timedelta(minutes=45)),
        ),
        "backfill": Contract(
            file="backfill.py",
            fires=None,
            time_out=timedelta(minutes=30),
            tags=frozenset({"backfill", "updater"}),
            flow=UPDATER_FLOW,
            params=RUN_PARAMS | {"job"},
            pools={"update": "backfill"},
            outlets={"audit": "backfilled"},
            deadlines=_in_time(timedelta(hours=6)),
        ),
        "lake_export": Contract(
            file="lake_export.py",
            fires=None,
            time_out=timedelta(minutes=60),
            tags=frozenset({"lake"}),
            flow={"export": set()},
            inlets=ALL_ASSETS,
            deadlines=_in_time(timedelta(minutes=90)),
        ),
        "canary": Contract(
            file="canary.py",
            fires=None,
            time_out=timedelta(minutes=10),
            tags=frozenset({"canary"}),
            flow={
                **{
                    name: {"container"}
                    for name in (
                        "database", "secrets", "identity", "cluster", "task_definitions", "images", "log_group", "topic"
                    )
                },
                "container": set(),
            },
            params=frozenset({"run_container", "job"}),
            rules={"container": "none_failed"},
            deadlines=_in_time(timedelta(minutes=30)),
        ),
    }
)  # fmt: skip
