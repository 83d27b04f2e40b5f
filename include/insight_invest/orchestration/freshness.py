"""The sign of life of a job: how far behind its market the database is, published whenever that was proven.

An alarm on the metric ``freshness`` that treats missing data as breaching fires when nothing is published any more,
whatever has stopped: the Dag, its scheduler, or all of Airflow.
"""

import json
import logging
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from include.insight_invest.jobs import Job
from include.insight_invest.log import redact
from include.insight_invest.settings import Settings

log = logging.getLogger(__name__)

SECONDS = 5  # of an attempt to reach CloudWatch


def publish_freshness(
    job: Job, settings: Settings, *, rows: Mapping[str, int] | None = None, coverage: float | None = None
) -> None:
    """Log the metrics of ``job``, and send them to CloudWatch where INSIGHT_METRICS_NAMESPACE is set.

    ``freshness`` is how many sessions the newest one in the ledger is behind now, 0 when nothing is missing, whichever
    session was just run; ``rows_*`` and ``coverage`` (per cent) are those of the run that was proven. What fails here
    is logged and fails no run: the alarm tells that nothing arrived.
    """
    try:
        metrics: dict[str, tuple[float, str]] = {"freshness": (sessions_behind(job, settings), "Count")}
        metrics |= {f"rows_{name}": (number, "Count") for name, number in (rows or {}).items()}
        if coverage is not None:
            metrics["coverage"] = (round(coverage * 100, 4), "Percent")
        log.info("metrics %s", json.dumps({"job": job.name, **{name: value for name, (value, _) in metrics.items()}}))
        if settings.metrics_namespace:
            _send(job, settings, metrics)
    except Exception as error:  # noqa: BLE001 (of a library that has many; none of them may fail a run that is whole)
        why = f"{type(error).__name__}: {redact(str(error))}"
        log.error("%s: its freshness was not published; the run is whole: %s", job.name, why)  # noqa: TRY400


def sessions_behind(job: Job, settings: Settings) -> int:
    """How many sessions that could be asked for by now are newer than every whole run's newest.

    For a job that has never run, those of a year. Raises StoreError.
    """
    from datetime import timedelta

    from include.insight_invest import clock, sessions
    from include.insight_invest.runner import session_of
    from include.insight_invest.store.coverage import settled
    from include.insight_invest.store.read import reader

    with reader(settings.database(), application="insight-invest freshness", statement_seconds=SECONDS) as connection:
        shards = settled(connection, job.name)
    newest = session_of(job, clock.now())
    # Of shards the one that is farthest behind.
    reached = min((shard.until for shard in shards), default=newest - timedelta(days=365))
    return len(sessions.sessions(job.exchange, reached, newest)[1:]) if reached < newest else 0


def _send(job: Job, settings: Settings, metrics: Mapping[str, tuple[float, str]]) -> None:
    from boto3.session import Session
    from botocore.config import Config

    dimensions = [{"Name": "job", "Value": job.name}, {"Name": "environment", "Value": settings.environment}]
    data: list[dict[str, Any]] = [
        {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}
        for name, (value, unit) in metrics.items()
    ]
    bounded = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 3})
    client = Session().client("cloudwatch", config=bounded)
    with closing(client):
        client.put_metric_data(Namespace=settings.metrics_namespace, MetricData=data)
