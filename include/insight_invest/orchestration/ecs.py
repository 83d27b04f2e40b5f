"""``update`` as a Fargate task of its own, by Airflow's operator for ECS.

A Dag file imports this; the provider is loaded where ``INSIGHT_EXECUTION=ecs`` only.
"""

import math
from typing import Any

from include.insight_invest.jobs import JOBS, Job
from include.insight_invest.settings import Settings, load_settings

CONTAINER = "updater"  # in every task definition
STREAM_PREFIX = "updater"  # its awslogs-stream-prefix: a task's lines are in <prefix>/<container>/<task id>
POLL_SECONDS = 6


def update_on_ecs(job: Job | None, pool: str) -> Any:
    """The mapped task ``update`` of ``job``, or of the one that a run names, to be expanded over ``shard``.

    What a setting lacks is told by ``prepare``, before this runs: a Dag without its cluster is still a Dag.
    """
    from include.insight_invest.orchestration.ecs_operator import UpdateOnEcs

    settings = load_settings()
    name = job.name if job else "{{ params.job }}"
    time_out = max(one.execution_timeout for one in ([job] if job else JOBS.values()))
    return UpdateOnEcs.partial(
        task_id="update",
        map_index_template="{{ task.shard['label'] }}",
        pool=pool,
        max_active_tis_per_dag=1,  # shards take turns, the source's rate is everybody's
        job_name=name,
        cluster=settings.ecs_cluster or "",
        # The family: its newest active revision is what was deployed last.
        task_definition=f"{settings.ecs_family}-{name}",
        container_name=CONTAINER,
        network_configuration=_network(settings),
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


def _network(settings: Settings) -> dict[str, Any]:
    return {
        "awsvpcConfiguration": {
            "subnets": list(settings.ecs_subnets),
            "securityGroups": list(settings.ecs_security_groups),
            "assignPublicIp": "ENABLED" if settings.ecs_public_ip else "DISABLED",
        }
    }
