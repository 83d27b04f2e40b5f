"""A cluster in which real processes run, and Airflow told to use it."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from include.insight_invest.on_ecs import CONTAINER
from include.insight_invest.orchestration import ecs
from include.insight_invest.settings import load_settings
from tests.aws.fargate import Fargate
from tests.fixtures.airflow import ROOT

MEMORY_MB = 512


class Cluster:
    """The cluster ``insight`` with its network, log group and secrets; ``fargate`` runs what is started in it."""

    def __init__(self, fargate: Fargate) -> None:
        import boto3

        self.fargate = fargate
        self._client = boto3.client
        ec2, logs, ecs_client = (self._client(name) for name in ("ec2", "logs", "ecs"))
        ecs_client.create_cluster(clusterName="insight")
        self.log_group = load_settings().ecs_log_group
        logs.create_log_group(logGroupName=self.log_group)
        self.env = {
            "INSIGHT_EXECUTION": "ecs",
            "INSIGHT_ECS_CLUSTER": "insight",
            "INSIGHT_ECS_SUBNETS": ec2.describe_subnets()["Subnets"][0]["SubnetId"],
            "INSIGHT_ECS_SECURITY_GROUPS": ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"],
        }

    def program(self, source: str, family: str = "insight-invest-us-price") -> None:
        """The container of ``family`` runs the Python program ``source``, whatever arguments it is given."""
        self._define(family, [sys.executable, "-u", "-c", source], {}, {})

    def updater(self, environment: dict[str, str], secrets: dict[str, str], job: str = "us-price") -> None:
        """The container of ``job`` is the real updater, with ``secrets`` (name: value) from Secrets Manager."""
        keeper = self._client("secretsmanager")
        known = {one["Name"] for one in keeper.list_secrets()["SecretList"]}
        for name, value in secrets.items():
            if name in known:
                keeper.put_secret_value(SecretId=name, SecretString=value)
            else:
                keeper.create_secret(Name=name, SecretString=value)
        entry = [sys.executable, str(ROOT / "run_scheduled_job.py")]
        self._define(f"insight-invest-{job}", entry, environment, {name: name for name in secrets})

    def log(self, stream: str) -> list[str]:
        """The lines of a task's stream."""
        found = self._client("logs").get_log_events(logGroupName=self.log_group, logStreamName=stream)
        return [event["message"] for event in found["events"]]

    def start(self, command: list[str], family: str = "insight-invest-us-price") -> Any:
        """Start a task of ``family`` as nobody in Airflow would; it is moto's model of it."""
        network = {
            "subnets": [self.env["INSIGHT_ECS_SUBNETS"]],
            "securityGroups": [self.env["INSIGHT_ECS_SECURITY_GROUPS"]],
        }
        self._client("ecs").run_task(
            cluster="insight",
            taskDefinition=family,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": network},
            overrides={"containerOverrides": [{"name": CONTAINER, "command": command}]},
        )
        return self.fargate.tasks[-1]

    def _define(self, family: str, entry: list[str], environment: dict[str, str], secrets: dict[str, str]) -> None:
        options = {"awslogs-group": self.log_group, "awslogs-stream-prefix": ecs.STREAM_PREFIX}
        container: dict[str, Any] = {
            "name": CONTAINER,
            "image": "updater",
            "memory": MEMORY_MB,
            "entryPoint": entry,
            "environment": [{"name": name, "value": value} for name, value in environment.items()],
            "secrets": [{"name": name, "valueFrom": source} for name, source in secrets.items()],
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        }
        self._client("ecs").register_task_definition(
            family=family, networkMode="awsvpc", containerDefinitions=[container]
        )


def until(ready: Callable[[], object], seconds: float = 120) -> None:
    """Wait until ``ready``."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture(scope="session")
def _cluster() -> Iterator[Cluster]:
    fargate = Fargate()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in fargate.env.items():
            patched.setenv(name, value)
        yield Cluster(fargate)
    fargate.close()


@pytest.fixture
def cluster(_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster with nothing running in it; Dags that are read now run their updaters there, asked each second."""
    _cluster.fargate.reset()
    for name, value in (_cluster.fargate.env | _cluster.env).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ecs, "POLL_SECONDS", 1)
    yield _cluster
    _cluster.fargate.reset()
