"""What `describe_tasks` says of a stopped task, and what an operator reads of it."""

from typing import Any

import pytest

from include.insight_invest.orchestration.ecs_end import EndKind, judge, report_in, told

EXITED = "Essential container in task exited"


def task(stop: str = "EssentialContainerExited", why: str = EXITED, **container: Any) -> dict[str, Any]:
    sidecar = {"name": "agent", "exitCode": 0}
    return {"stopCode": stop, "stoppedReason": why, "containers": [sidecar, {"name": "updater", **container}]}


@pytest.mark.parametrize(
    ("described", "kind", "final"),
    [
        (task(exitCode=0), EndKind.SUCCEEDED, False),
        (task("SpotInterruption", "Your Spot Task was interrupted.", exitCode=0), EndKind.SUCCEEDED, False),
        (task(exitCode=1), EndKind.FAILED, False),
        (task(exitCode=2), EndKind.CONFIGURATION, True),
        (task(exitCode=3), EndKind.OVER_BUDGET, False),
        (task(exitCode=75), EndKind.LEASE_HELD, False),
        (task(exitCode=143), EndKind.TERMINATED, False),
        (task(exitCode=137), EndKind.KILLED, False),
        (task(exitCode=137, reason="OutOfMemoryError: Container killed"), EndKind.OUT_OF_MEMORY, False),
        (task("SpotInterruption", "Your Spot Task was interrupted.", exitCode=143), EndKind.SPOT_INTERRUPTED, False),
        (task("SpotInterruption", "Your Spot Task was interrupted."), EndKind.SPOT_INTERRUPTED, False),
        (task("UserInitiated", "Task stopped by ann", exitCode=143), EndKind.STOPPED, False),
        (task("TaskFailedToStart", "CannotPullContainerError: no such image"), EndKind.FAILED_TO_START, False),
        (task("TaskFailedToStart", "Capacity is unavailable at this time"), EndKind.FAILED_TO_START, False),
        (task(), EndKind.UNKNOWN, False),
        ({"stopCode": "EssentialContainerExited", "containers": []}, EndKind.UNKNOWN, False),
    ],
)
def test_every_end_has_a_name(described: dict[str, Any], kind: EndKind, final: bool) -> None:
    end = judge(described, container="updater", memory_mb=512)
    assert (end.kind, end.final) == (kind, final)
    assert end.sentence


def test_what_is_told_is_what_is_judged_and_nothing_that_json_cannot_carry() -> None:
    described = task(exitCode=143, lastStatus="STOPPED") | {"createdAt": object(), "taskArn": "arn:task/1"}
    assert told(described) == {
        "taskArn": "arn:task/1",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": EXITED,
        "containers": [
            {"name": "agent", "exitCode": 0},
            {"name": "updater", "exitCode": 143, "lastStatus": "STOPPED"},
        ],
    }


def test_the_report_is_the_last_line_that_is_one() -> None:
    lines = [
        '{"job": "us-price", "status": "failed", "exit_code": 1}',
        '{"job": "us-price", "status": "succeeded", "exit_code": 0, "problems": [1]}',
        '{"event": "a log line"}',
        "{broken",
        "bye",
    ]
    assert report_in(lines) == {"job": "us-price", "status": "succeeded", "exit_code": 0}
    assert report_in(lines[2:]) is None
