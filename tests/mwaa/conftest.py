"""An MWAA environment with this checkout's bundle, real databases, replayed sources, and AWS played by moto."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from include.insight_invest.orchestration.pools import POOLS
from include.insight_invest.store.migrate import upgrade
from local import ROOT
from local.bundle.build import build
from tests.fixtures.database import Server
from tests.fixtures.market import KEY, THURSDAY, world
from tests.mwaa.environment import ESSENTIAL, Environment, install, lay_out
from tests.mwaa.stack import Stack
from tests.replay import Replay
from tests.universe.test_sync import put as put_listings

REGION = ESSENTIAL["AWS_REGION"]
TOPIC = f"arn:aws:sns:{REGION}:123456789012:insight-alerts"
# What an operator gives to `make bundle`.
SETTINGS = f"""
ENVIRONMENT=mwaa-test
INSIGHT_ALERT_TOPIC_ARN={TOPIC}
INSIGHT_EXECUTION=local
INSIGHT_FRED_RATE=1000
INSIGHT_KRX_RATE=1000
INSIGHT_METRICS_NAMESPACE=insight-invest
INSIGHT_NASDAQ_RATE=1000
INSIGHT_NAVER_RATE=1000
INSIGHT_SAMPLE_TICKERS=0
INSIGHT_YAHOO_RATE=1000
"""
# The environment's Airflow options: connections come from Secrets Manager (docs/mwaa.md).
OPTIONS = {
    "AIRFLOW__SECRETS__BACKEND": "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
    "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(
        {
            "connections_prefix": "airflow/connections",
            "connections_lookup_pattern": "^(insight_|smtp_)",
            "variables_lookup_pattern": "^insight_",
        }
    ),
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # the tests alone say what runs
}
# A Dag that is late: it waits until the test has seen that this was told.
LATE = '''
"""Planted by the test: an Airflow Dag that takes longer than it may."""
import time
from datetime import timedelta
from pathlib import Path

from airflow.sdk import dag, task

from include.insight_invest.orchestration.alerts.deadlines import with_deadlines
from include.insight_invest.orchestration.defaults import dag_arguments


@dag(dag_id="late", schedule=None, **dag_arguments(tags=[], execution_timeout=timedelta(minutes=5)))
def late():
    @task
    def wait():
        while not Path({seen!r}).exists():
            time.sleep(0.5)

    wait()


with_deadlines(late(), time_out=timedelta(seconds=1), timezone="Asia/Seoul")
'''


@dataclass
class Aws:
    """Moto, on 127.0.0.1."""

    endpoint: str

    @property
    def env(self) -> dict[str, str]:
        """What makes processes use it; on MWAA the execution role does."""
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        return {**keys, "AWS_ENDPOINT_URL": self.endpoint}

    def client(self, service: str) -> Any:
        """A client of one of its services."""
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, **keys)

    def told(self) -> list[dict[str, Any]]:
        """The messages of the alerts' topic that were not taken yet: their Subject, Message and so on."""
        queue = self.client("sqs")
        url = queue.get_queue_url(QueueName="operators")["QueueUrl"]
        taken = queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in taken:
            queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in taken]


@pytest.fixture(scope="module")
def mwaa(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The bundle of this lane, laid out and installed."""
    root = tmp_path_factory.mktemp("mwaa")
    lane = version("apache-airflow")
    build(ROOT, root / "bundle", lane, f"{SETTINGS}INSIGHT_LAKE_URL={root / 'lake'}\n")
    made = Environment(root / "airflow", lane)
    lay_out(root / "bundle", made.home)
    install(made)
    return made


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[dict[str, str]]:
    """What makes processes see the replayed sources, whose shares the product's database follows."""
    with Replay([], datetime.fromisoformat(THURSDAY)) as replay:
        made = world(database_url, tmp_path_factory.mktemp("mwaa-world"), replay)
        put_listings(made, THURSDAY[:10], "ACME", "BOLT")
        replay.load(made.folder)
        yield replay.env


@pytest.fixture(scope="module")
def database_url(postgres_server: Server) -> str:
    """The product's database, at this version's schema."""
    url = postgres_server.create("mwaa_data")
    upgrade(url)
    return url


@pytest.fixture(scope="module")
def aws(database_url: str) -> Iterator[Aws]:
    """Secrets Manager with the two connections, and a topic with a queue that hears it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    made = Aws("http://{}:{}".format(*server.get_host_and_port()))
    secrets = made.client("secretsmanager")
    secrets.create_secret(Name="airflow/connections/insight_invest", SecretString=database_url)
    key = json.dumps({"conn_type": "http", "password": KEY})
    secrets.create_secret(Name="airflow/connections/insight_fred", SecretString=key)
    queue = made.client("sqs").create_queue(QueueName="operators")["QueueUrl"]
    asked = made.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    topic = made.client("sns").create_topic(Name="insight-alerts")["TopicArn"]
    assert topic == TOPIC
    made.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=asked["Attributes"]["QueueArn"])
    yield made
    server.stop()


@pytest.fixture(scope="module")
def stack(mwaa: Environment, sources: dict[str, str], aws: Aws, postgres_server: Server) -> Iterator[Stack]:
    """The environment's components, with the pools, and with a Dag that is late."""
    (mwaa.home / "dags" / "late.py").write_text(LATE.format(seen=str(mwaa.home / "seen")))
    made = Stack(mwaa, postgres_server.create("mwaa_metadata"), {**OPTIONS, **aws.env, **sources})
    try:
        made.start()
        for name, pool in POOLS.items():
            made.api("POST", "/pools", {"name": name, **pool})
        yield made
    finally:
        made.stop()
