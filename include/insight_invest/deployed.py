"""What a deploy must have left behind for a run to succeed, one check each; nothing is changed.

A check returns what it found as a sentence. It raises DeploymentError where something is missing, ConfigurationError
where a setting is.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from include.insight_invest.errors import DeploymentError
from include.insight_invest.jobs import JOBS, Job
from include.insight_invest.on_ecs import CONTAINER, NEEDS, family_of, network_of
from include.insight_invest.settings import Execution, Settings
from include.insight_invest.store import roles
from include.insight_invest.store.database import connect, where
from include.insight_invest.store.migrate import HEAD, require_current

_ECR = re.compile(
    r"(?P<registry>\d{12})\.dkr\.ecr\.[^.]+\.amazonaws\.com[^/]*/(?P<name>[^:@]+)(?P<at>[:@])(?P<which>.+)"
)
_POLL_SECONDS = 5

Check = Callable[[Settings], str]


def database(settings: Settings) -> str:
    """The database answers, at this version's schema, to a role that cannot destroy it."""
    url = settings.database()
    with connect(url, application="insight-invest canary") as connection:
        require_current(connection)
        role, tables = connection.info.user, roles.could_destroy(connection)
    if tables and settings.execution is Execution.ECS:
        raise DeploymentError(
            f"{role} could drop or truncate {tables}: give the connection a login in {roles.UPDATER} (`db roles`; "
            "README, Roles)"
        )
    may = f"could drop or truncate {tables}" if tables else "can neither drop nor truncate what is stored"
    return f"schema {HEAD} at {where(url)}; {role} {may}"


def secrets(settings: Settings) -> str:
    """Each job gets what it needs: from this environment, or on ECS from its task definition. Values stay unseen."""
    if settings.execution is Execution.LOCAL:
        wanted = sorted({name for job in JOBS.values() for name in job.needs})
        settings.require(wanted)
        return f"{', '.join(wanted)} set"
    lacking = []
    for job in JOBS.values():
        container = _container(settings, job)
        given = {one["name"] for kind in ("secrets", "environment") for one in container.get(kind, ())}
        lacking += [f"{family_of(settings, job.name)} has no {name}" for name in job.needs if name not in given]
    _refuse(lacking, "add them to its container's secrets")
    return "every task definition names its job's secrets"


def identity(settings: Settings) -> str:  # noqa: ARG001 (a Check)
    """Somebody: without credentials nothing else can be asked."""
    with _asking("sts"):
        return f"this worker is {_client('sts').get_caller_identity()['Arn']}"


def cluster(settings: Settings) -> str:
    """The cluster is there, and takes tasks."""
    settings.require(NEEDS)
    with _asking("ecs:DescribeClusters"):
        found = _client("ecs").describe_clusters(clusters=[settings.ecs_cluster])["clusters"]
    if not found or found[0]["status"] != "ACTIVE":
        status = found[0]["status"] if found else "not there"
        raise DeploymentError(
            f"the cluster {settings.ecs_cluster} is {status}: look at INSIGHT_ECS_CLUSTER, or deploy it"
        )
    return f"the cluster {settings.ecs_cluster} is ACTIVE"


def task_definitions(settings: Settings) -> str:
    """Each job's family has what the operator relies on: Fargate, the job's size, its container, its logs."""
    problems = [problem for job in JOBS.values() for problem in _problems(settings, job)]
    _refuse(problems, "register the task definitions again (deploy)")
    return f"{', '.join(family_of(settings, job.name) for job in JOBS.values())} are as jobs.py says"


def images(settings: Settings) -> str:
    """The images that the task definitions name are in ECR."""
    import botocore.exceptions

    found, missing = [], []
    for image in dict.fromkeys(str(_container(settings, job)["image"]) for job in JOBS.values()):
        if not (parts := _ECR.fullmatch(image)):
            raise DeploymentError(
                f"the image {image} is none of ECR's with a tag or a digest: what it will be tomorrow, nobody knows"
            )
        which = {"imageTag" if parts["at"] == ":" else "imageDigest": parts["which"]}
        with _asking("ecr:DescribeImages"):
            try:
                _client("ecr").describe_images(
                    registryId=parts["registry"], repositoryName=parts["name"], imageIds=[which]
                )
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] not in ("ImageNotFoundException", "RepositoryNotFoundException"):
                    raise
                missing.append(f"{image} is not in ECR")
        found.append(image)
    _refuse(missing, "push it before the task definition names it")
    return f"{', '.join(found)} in ECR"


def log_group(settings: Settings) -> str:
    """Where the containers' lines go: ECS does not start a task without it."""
    with _asking("logs:DescribeLogGroups"):
        found = _client("logs").describe_log_groups(logGroupNamePrefix=settings.ecs_log_group)["logGroups"]
    if settings.ecs_log_group not in [one["logGroupName"] for one in found]:
        raise DeploymentError(
            f"there is no log group {settings.ecs_log_group}: deploy it, or set INSIGHT_ECS_LOG_GROUP"
        )
    return f"the log group {settings.ecs_log_group} is there"


def topic(settings: Settings) -> str:
    """The topic of the alerts is there, where one is set."""
    if not settings.alert_topic_arn:
        return "INSIGHT_ALERT_TOPIC_ARN is not set: nobody is told by SNS"
    with _asking("sns:GetTopicAttributes"):
        found = _client("sns").get_topic_attributes(TopicArn=settings.alert_topic_arn)["Attributes"]
    if not int(found.get("SubscriptionsConfirmed", 0)):
        return f"{settings.alert_topic_arn} is there; nobody has confirmed a subscription to it yet"
    return f"{settings.alert_topic_arn} is there"


# What can be asked anywhere, and what there is on AWS only.
ANYWHERE: Mapping[str, Check] = MappingProxyType({"database": database, "secrets": secrets})
ON_AWS: Mapping[str, Check] = MappingProxyType(
    {
        "identity": identity,
        "cluster": cluster,
        "task_definitions": task_definitions,
        "images": images,
        "log_group": log_group,
        "topic": topic,
    }
)
CHECKS: Mapping[str, Check] = MappingProxyType({**ANYWHERE, **ON_AWS})


def run_doctor(settings: Settings, job: Job) -> str:
    """Run the container's ``doctor`` as a task of ``job``'s family, and wait until it has ended.

    Whoever calls bounds the time; interrupted, it stops the task.
    """
    ecs = _client("ecs")
    with _asking("ecs:RunTask"):
        answer = ecs.run_task(
            cluster=settings.ecs_cluster,
            taskDefinition=family_of(settings, job.name),
            launchType="FARGATE",
            startedBy="canary",
            networkConfiguration=network_of(settings),
            overrides={"containerOverrides": [{"name": CONTAINER, "command": ["doctor"]}]},
        )
    _refuse([f"{one.get('arn')}: {one.get('reason')}" for one in answer.get("failures", ())], "ECS placed no task")
    arn = answer["tasks"][0]["taskArn"]
    task: Mapping[str, Any] = {}
    try:
        while task.get("lastStatus") != "STOPPED":
            time.sleep(_POLL_SECONDS)
            with _asking("ecs:DescribeTasks"):
                task = ecs.describe_tasks(cluster=settings.ecs_cluster, tasks=[arn])["tasks"][0]
    finally:
        if task.get("lastStatus") != "STOPPED":
            ecs.stop_task(cluster=settings.ecs_cluster, task=arn, reason="the canary was stopped")
    codes = {one["name"]: one.get("exitCode") for one in task["containers"]}
    if codes.get(CONTAINER) != 0:
        raise DeploymentError(
            f"`doctor` in {arn} ended with {codes.get(CONTAINER)} ({task.get('stoppedReason') or 'no reason given'}): "
            f"its lines are in {settings.ecs_log_group}"
        )
    return f"`doctor` in {arn} found nothing wrong"


def _problems(settings: Settings, job: Job) -> Iterator[str]:
    family = family_of(settings, job.name)
    definition = _definition(settings, job)
    container = next((one for one in definition["containerDefinitions"] if one["name"] == CONTAINER), None)
    size = (definition.get("cpu"), definition.get("memory"))
    if size != (str(job.cpu), str(job.memory_mb)):
        yield f"{family} has {size[0]} CPU units and {size[1]} MB, not {job.cpu} and {job.memory_mb}"
    if "FARGATE" not in definition.get("requiresCompatibilities", ()):
        yield f"{family} is not for FARGATE"
    if container is None:
        yield f"{family} has no container {CONTAINER}"
        return
    logs = container.get("logConfiguration") or {}
    if logs.get("logDriver") != "awslogs" or logs.get("options", {}).get("awslogs-group") != settings.ecs_log_group:
        yield f"{family} does not log into {settings.ecs_log_group} by awslogs"


def _definition(settings: Settings, job: Job) -> Mapping[str, Any]:
    """The newest active revision."""
    with _asking(f"ecs:DescribeTaskDefinition of {family_of(settings, job.name)}"):
        found: Mapping[str, Any] = _client("ecs").describe_task_definition(taskDefinition=family_of(settings, job.name))
    return found["taskDefinition"]  # type: ignore[no-any-return]


def _container(settings: Settings, job: Job) -> Mapping[str, Any]:
    found = [one for one in _definition(settings, job)["containerDefinitions"] if one["name"] == CONTAINER]
    _refuse([] if found else [f"{family_of(settings, job.name)} has no container {CONTAINER}"], "deploy it")
    return found[0]  # type: ignore[no-any-return]


def _client(service: str) -> Any:
    import boto3

    return boto3.client(service)


@contextmanager
def _asking(what: str) -> Iterator[None]:
    import botocore.exceptions

    try:
        yield
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise DeploymentError(
            f"{what} was refused: {error}. Look at the worker's role (may it?), its region and its way to AWS"
        ) from None


def _refuse(problems: Sequence[str], remedy: str) -> None:
    if problems:
        raise DeploymentError(f"{'; '.join(problems)}: {remedy}")
