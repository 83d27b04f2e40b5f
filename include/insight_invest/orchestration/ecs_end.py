"""What became of an ECS task: ``describe_tasks`` read as a named end, with a sentence for whoever is woken by it.

Pure: no AWS, no Airflow. The exit codes are those of ``errors.py``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from include.insight_invest.errors import BudgetExceeded, LeaseHeld, Terminated, UsageError

_KILLED = 137  # 128 + SIGKILL
_TOLD = ("taskArn", "lastStatus", "desiredStatus", "stopCode", "stoppedReason", "capacityProviderName")
_TOLD_OF_CONTAINER = ("name", "lastStatus", "exitCode", "reason")
_RETRIED = "What it had committed stays; the next try goes on from there"


class EndKind(StrEnum):
    """How an ECS task can end."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CONFIGURATION = "configuration"
    OVER_BUDGET = "over budget"
    LEASE_HELD = "lease held"
    TERMINATED = "terminated"
    SPOT_INTERRUPTED = "Spot interruption"
    STOPPED = "stopped"
    OUT_OF_MEMORY = "out of memory"
    KILLED = "killed"
    FAILED_TO_START = "failed to start"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class End:
    """An end. ``final``: trying again would not mend it."""

    kind: EndKind
    sentence: str
    final: bool = False


def told(task: Mapping[str, Any]) -> dict[str, Any]:
    """What ``judge`` reads of a described task, as JSON can carry it."""
    kept = {name: task[name] for name in _TOLD if task.get(name)}
    containers = task.get("containers", [])
    kept["containers"] = [
        {name: one[name] for name in _TOLD_OF_CONTAINER if one.get(name) is not None} for one in containers
    ]
    return kept


def judge(task: Mapping[str, Any], *, container: str, memory_mb: int) -> End:
    """The end of ``task``, a stopped one, as ``describe_tasks`` has it; ``container`` is the one that matters."""
    none: Mapping[str, Any] = {}
    one = next((one for one in task.get("containers", []) if one.get("name") == container), none)
    code, stop = one.get("exitCode"), task.get("stopCode", "")
    why = one.get("reason") or task.get("stoppedReason") or "ECS gives no reason"
    if code == 0:
        return End(kind=EndKind.SUCCEEDED, sentence="the updater is done")
    if stop == "TaskFailedToStart":
        return _failed_to_start(task.get("stoppedReason") or why)
    if "outofmemory" in why.lower():
        return End(
            kind=EndKind.OUT_OF_MEMORY,
            sentence=f"the updater needed more than its {memory_mb} MB and was killed ({why}). {_RETRIED}. Give the "
            "job more memory_mb in jobs.py, and its task definition, or follow fewer tickers a part",
        )
    if stop in ("SpotInterruption", "TerminationNotice"):
        return End(
            kind=EndKind.SPOT_INTERRUPTED,
            sentence=f"AWS took the Spot capacity back ({task.get('stoppedReason') or stop}). {_RETRIED}, on demand",
        )
    if stop == "UserInitiated":
        return End(
            kind=EndKind.STOPPED,
            sentence=f"the ECS task was stopped by StopTask ({task.get('stoppedReason') or why}). {_RETRIED}",
        )
    if code is None:
        return End(
            kind=EndKind.UNKNOWN,
            sentence=f"the updater left no exit code ({why}). Whether it was done, the ledger says (`status`); trying "
            "again changes nothing that is there",
        )
    return _of_exit_code(code, why)


def vanished() -> End:
    """ECS has forgotten the task: it keeps a stopped one for an hour."""
    return End(
        kind=EndKind.UNKNOWN,
        sentence="ECS knows nothing of this task any more, it stopped more than an hour ago. Whether it was done, the "
        "ledger says (`status`); trying again changes nothing that is there",
    )


def _failed_to_start(why: str) -> End:
    advice = {
        "CannotPull": "Look whether the image's tag exists, and whether the execution role and the subnets reach it",
        "log group": "Make the log group, or name it in INSIGHT_ECS_LOG_GROUP and in the task definition",
        "secret": "Look whether the secrets exist, and whether the execution role and the subnets reach them",
        "apacity": "AWS had none left in these subnets: the next try is on demand",
    }
    what = next((text for word, text in advice.items() if word in why), "See the task definition and its subnets")
    return End(
        kind=EndKind.FAILED_TO_START,
        sentence=f"the ECS task failed to start ({why}). Nothing ran, nothing was changed. {what}",
    )


def _of_exit_code(code: int, why: str) -> End:
    ends = {
        UsageError.exit_code: End(
            kind=EndKind.CONFIGURATION,
            sentence="the updater refused a wrong call or configuration (exit code 2). Nothing was started. Mend what "
            "its last lines name, in the task definition or in the run's parameters, and clear the task",
            final=True,
        ),
        BudgetExceeded.exit_code: End(
            kind=EndKind.OVER_BUDGET,
            sentence="more tickers failed than the budget allows (exit code 3). What was loaded stays; the ledger "
            "names each that failed, and the next try asks for them again",
        ),
        LeaseHeld.exit_code: End(
            kind=EndKind.LEASE_HELD,
            sentence="another run of this job is at work (exit code 75). Nothing was started; the next try finds the "
            "lease free, or says again who has it",
        ),
        Terminated.exit_code: End(
            kind=EndKind.TERMINATED,
            sentence=f"the updater was stopped by SIGTERM (exit code 143; {why}). {_RETRIED}",
        ),
        _KILLED: End(
            kind=EndKind.KILLED,
            sentence=f"the updater was killed (exit code 137; {why}): out of memory, or not done 30 s after SIGTERM. "
            f"{_RETRIED}",
        ),
    }
    failed = End(kind=EndKind.FAILED, sentence=f"the updater failed (exit code {code}). {_RETRIED}")
    return ends.get(code, failed)


def report_in(lines: Sequence[str]) -> dict[str, Any] | None:
    """The report that ``--json`` prints, less its tickers: the last of ``lines`` that is one, if any of them is."""
    for line in reversed(lines):
        if not line.startswith("{"):
            continue
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and {"job", "status", "exit_code"} <= found.keys():
            return {name: value for name, value in found.items() if name != "problems"}
    return None
