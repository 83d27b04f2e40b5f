"""The canary names what a deployment lacks: in real Airflow, against moto's AWS and a login as the updaters have it."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from include.insight_invest import deployed
from include.insight_invest.errors import DeploymentError
from include.insight_invest.jobs import JOBS
from include.insight_invest.settings import Settings, load_settings
from include.insight_invest.store import roles
from include.insight_invest.store.database import Connection
from tests.dags.conftest import ended, run_dag, xcom

pytestmark = pytest.mark.usefixtures("airflow_database", "kept_logging")


def test_the_canary_on_a_laptop_skips_what_aws_has(world: str) -> None:
    run = run_dag("canary", None)
    assert run.state == "success"
    assert ended(run) == {"database": "success", "secrets": "success"} | dict.fromkeys(
        [*deployed.ON_AWS, "container"], "skipped"
    )
    assert xcom(run, "cluster", "reason").startswith("INSIGHT_EXECUTION is local")


def test_the_canary_names_the_secret_that_is_missing(
    world: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FRED_API_KEY")
    run = run_dag("canary", None)
    assert run.state == "failed"
    assert (ended(run)["database"], ended(run)["secrets"]) == ("success", "failed")
    assert "missing environment: FRED_API_KEY" in capsys.readouterr().out


def client(service: str) -> Any:
    return boto3.client(service)


IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/updater"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, database: str, connection: Connection) -> Iterator[None]:
    """A deployed account in moto, and a login of the updaters' group as Airflow's connection."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    _deploy(monkeypatch)
    roles.grant(connection)
    connection.execute("drop role if exists canary")
    connection.execute("create role canary login password 'canary' in role insight_updater")
    parts = urlsplit(database)
    monkeypatch.setenv(
        "AIRFLOW_CONN_INSIGHT_INVEST", parts._replace(netloc=f"canary:canary@{parts.hostname}:{parts.port}").geturl()
    )
    yield
    server.stop()


def _deploy(monkeypatch: pytest.MonkeyPatch) -> None:
    client("ecr").create_repository(repositoryName="updater")
    config = {"architecture": "amd64", "os": "linux", "config": {}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}
    manifest["config"] = {
        "digest": "sha256:" + "0" * 64,
        "size": len(json.dumps(config)),
        "mediaType": "application/json",
    }
    client("ecr").put_image(repositoryName="updater", imageManifest=json.dumps(manifest), imageTag="abc123")
    client("logs").create_log_group(logGroupName="/insight-invest/updaters")
    client("ecs").create_cluster(clusterName="insight")
    topic = client("sns").create_topic(Name="alerts")["TopicArn"]
    for job in JOBS:
        register(job)
    for name, value in {
        "INSIGHT_EXECUTION": "ecs",
        "INSIGHT_ECS_CLUSTER": "insight",
        "INSIGHT_ECS_SUBNETS": "subnet-1",
        "INSIGHT_ECS_SECURITY_GROUPS": "sg-1",
        "INSIGHT_ALERT_TOPIC_ARN": topic,
    }.items():
        monkeypatch.setenv(name, value)


def register(job: str, **others: Any) -> None:
    """A task definition as a deploy leaves it, but for ``others``, of the container or of the whole."""
    container = {
        "name": "updater",
        "image": f"{IMAGE}:abc123",
        "memory": 512,
        "secrets": [{"name": name, "valueFrom": f"arn:{name}"} for name in JOBS[job].needs],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/insight-invest/updaters"}},
    }
    task = {"cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"}
    container |= {name: value for name, value in others.items() if name in container and name != "memory"}
    task |= {name: value for name, value in others.items() if name in task}
    client("ecs").register_task_definition(family=f"insight-invest-{job}", containerDefinitions=[container], **task)


def settings(database_url: str = "postgresql://nobody@127.0.0.1:1/none") -> Settings:
    return load_settings(database_url=database_url)


def test_a_sound_deployment_passes(aws: None) -> None:
    run = run_dag("canary", None)
    assert ended(run) == dict.fromkeys([*deployed.ANYWHERE, *deployed.ON_AWS], "success") | {"container": "skipped"}
    assert xcom(run, "secrets") == "every task definition names its job's secrets"
    assert xcom(run, "cluster") == "the cluster insight is ACTIVE"
    assert xcom(run, "images") == f"{IMAGE}:abc123 in ECR"
    assert xcom(run, "topic").endswith("nobody has confirmed a subscription to it yet")


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        (
            lambda: register("macro", secrets=[]),
            "secrets",
            "insight-invest-macro has no DATABASE_URL; .* no FRED_API_KEY",
        ),
        (
            lambda: register("macro", cpu="512", memory="1024"),
            "task_definitions",
            "has 512 CPU units and 1024 MB, not 256",
        ),
        (lambda: register("macro", name="main"), "task_definitions", "insight-invest-macro has no container updater"),
        (
            lambda: register("macro", logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": "/x"}}),
            "task_definitions",
            "insight-invest-macro does not log into /insight-invest/updaters by awslogs",
        ),
        (lambda: register("macro", image=f"{IMAGE}:later"), "images", "updater:later is not in ECR: push it"),
        (lambda: register("macro", image="updater:latest"), "images", "the image updater:latest is none of ECR's"),
        (
            lambda: client("logs").delete_log_group(logGroupName="/insight-invest/updaters"),
            "log_group",
            "there is no log group /insight-invest/updaters: deploy it",
        ),
        (
            lambda: client("ecs").delete_cluster(cluster="insight"),
            "cluster",
            "the cluster insight is (not there|INACTIVE)",
        ),
        (
            lambda: client("sns").delete_topic(TopicArn="arn:aws:sns:us-east-1:123456789012:alerts"),
            "topic",
            "sns:GetTopicAttributes was refused: .*NotFound",
        ),
    ],
)
def test_what_a_deployment_lacks_is_named(aws: None, fault: Callable[[], Any], check: str, words: str) -> None:
    fault()
    with pytest.raises(DeploymentError, match=words):
        deployed.CHECKS[check](settings())


def test_a_family_that_was_never_registered_is_named(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHT_ECS_FAMILY", "other")
    with pytest.raises(DeploymentError, match="ecs:DescribeTaskDefinition of other-us-price was refused"):
        deployed.task_definitions(settings())


def test_a_role_that_could_destroy_is_refused_on_aws(aws: None, database: str) -> None:
    """The tests' own login is the owner."""
    with pytest.raises(
        DeploymentError, match=r"could drop or truncate tb_.*: give the connection a login in insight_updater"
    ):
        deployed.database(settings(database))


@pytest.mark.parametrize(("code", "state"), [(0, "success"), (3, "failed")])
def test_the_container_is_tried_as_a_real_task(
    aws: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int, state: str
) -> None:
    """moto ends a task once it was described a few times; with which code, is said here."""
    from moto.ecs.models import Container

    born = Container.__init__

    def born_to_end(self: Any, definition: Any) -> None:
        born(self, definition)
        self.name, self.exitCode = "updater", code

    monkeypatch.setattr(Container, "__init__", born_to_end)
    monkeypatch.setattr("include.insight_invest.deployed._POLL_SECONDS", 0.01)
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="updaters", Description="updaters", VpcId=vpc)["GroupId"]
    monkeypatch.setenv("INSIGHT_ECS_SUBNETS", subnet)
    monkeypatch.setenv("INSIGHT_ECS_SECURITY_GROUPS", group)

    run = run_dag("canary", None, {"run_container": True, "job": "macro"})

    assert ended(run)["container"] == state
    arns = client("ecs").list_tasks(cluster="insight")["taskArns"]
    (task,) = client("ecs").describe_tasks(cluster="insight", tasks=arns)["tasks"]
    assert task["taskDefinitionArn"].rpartition("/")[2] == "insight-invest-macro:1"
    assert task["overrides"]["containerOverrides"] == [{"name": "updater", "command": ["doctor"]}]
    if code:
        assert f"`doctor` in {arns[0]} ended with 3" in capsys.readouterr().out
