"""``update`` as a Fargate task of its own, by Airflow's operator for ECS.

A Dag file imports this; the provider is loaded where ``INSIGHT_EXECUTION=ecs`` only.
"""

import math
from datetime import timedelta
from typing import Any

from include.insight_invest.on_ecs import CONTAINER, family_of, network_of
from include.insight_invest.settings import load_settings

STREAM_PREFIX = "updater"  # its awslogs-stream-prefix: a task's lines are in <prefix>/<container>/<task id>
POLL_SECONDS = 6


def update_on_ecs(*, pool: str, time_out: timedelta) -> Any:
    """The mapped task ``update``, to be expanded over ``shard``, which names its job.

    What a setting lacks is told by ``prepare``, before this runs: a Dag without its cluster is still a Dag.
    """
    from include.insight_invest.orchestration.ecs_operator import UpdateOnEcs

    settings = load_settings()
    return UpdateOnEcs.partial(
        task_id="update",
        map_index_template="{{ task.shard['label'] }}",
        pool=pool,
        # Shards take turns in the pool, where deferred tasks count; Airflow's own limit does not count them.
        max_active_tis_per_dag=1,
        cluster=settings.ecs_cluster or "",
        task_definition=family_of(settings, "{{ task.shard['job'] }}"),
        container_name=CONTAINER,
        network_configuration=network_of(settings),
        propagate_tags="TASK_DEFINITION",
        awslogs_group=settings.ecs_log_group,
        awslogs_stream_prefix=STREAM_PREFIX,
        # The identity of the worker and of the triggerer, not a connection that somebody would have to keep.
        aws_conn_id=None,
        botocore_config={"retries": {"mode": "standard", "max_attempts": 8}},
        deferrable=True,
        reattach=True,
        waiter_delay=POLL_SECONDS,
        waiter_max_attempts=math.ceil(time_out.total_seconds() / POLL_SECONDS),
    )
