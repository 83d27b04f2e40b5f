"""What the updaters update, for the Dags that are scheduled on it: an event says which rows of which sessions came."""

from collections.abc import Mapping
from types import MappingProxyType

from airflow.sdk import Asset, AssetAny

from include.insight_invest.jobs import JOBS

ASSETS: Mapping[str, Asset] = MappingProxyType({name: Asset(job.asset) for name, job in JOBS.items()})


def any_asset() -> AssetAny:
    """A schedule: whenever one of them was updated."""
    return AssetAny(*ASSETS.values())
