"""``update`` as a Fargate task of its own, by Airflow's operator for ECS."""

from typing import Any

from include.insight_invest.jobs import Job


def update_on_ecs(job: Job | None) -> Any:
    """The mapped task ``update`` of ``job``, to be expanded over ``shard``; without a job, each shard names its own."""
    raise NotImplementedError(job)
