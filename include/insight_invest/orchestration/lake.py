"""The Dag that brings the lake up to the database, after each update."""

import logging
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from include.insight_invest.jobs import Tag
from include.insight_invest.orchestration.alerts.deadlines import with_deadlines
from include.insight_invest.orchestration.assets import any_asset
from include.insight_invest.orchestration.context import REASON, final_when_wrong, task_settings
from include.insight_invest.orchestration.defaults import TIMEZONE, dag_arguments

log = logging.getLogger(__name__)

_LATE_AFTER = timedelta(minutes=90)


def lake_export_dag(doc_md: str | None) -> DAG:
    """The Dag ``lake_export``."""

    @dag(
        dag_id="lake_export",
        dag_display_name="Lake export",
        description="What is stored, as Parquet in a bucket or a folder",
        doc_md=doc_md,
        schedule=any_asset(),
        **dag_arguments(tags=[Tag.LAKE.value], execution_timeout=timedelta(minutes=60)),
    )
    def lake_export() -> None:
        export()

    return with_deadlines(lake_export(), time_out=_LATE_AFTER, timezone=TIMEZONE)


@task
def export() -> dict[str, Any]:
    """Write the files whose rows have changed; which, is the result. Without a lake there is nothing to do."""
    from include.insight_invest.lake.export import export as export_lake

    with final_when_wrong():
        settings = task_settings()
        if not settings.lake_url:
            reason = "INSIGHT_LAKE_URL is not set: this installation has no lake"
            get_current_context()["ti"].xcom_push(key=REASON, value=reason)
            raise AirflowSkipException(reason)
        exported = export_lake(settings.database(), settings.lake_url)
    log.info("%s", exported)
    return asdict(exported) | {"written": list(exported.written), "removed": list(exported.removed)}
