"""Fargate beside moto: what moto accepts as an ECS task, this runs as a real process.

A task's entry point and command become a process with its ``environment`` and ``secrets`` and with its memory limit (a
cgroup where this machine allows, else its resident memory is watched); its output goes to awslogs, and it ends with
the exit code, stop code and reasons that ECS would tell.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.ecs.models import ecs_backends
from moto.logs.models import logs_backends
from moto.moto_api import state_manager
from moto.moto_api._internal.models import moto_api_backend
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import ThreadedMotoServer

from tests.aws.memory import limited
from tests.fixtures.airflow import ROOT

ACCOUNT, REGION = "123456789012", "us-east-1"
ESSENTIAL = "Essential container in task exited"
SPOT = "Your Spot Task was interrupted."


class Fargate:
    """One account's ECS; ``asked`` is how often somebody described tasks.

    Plant ``throttled`` (that many questions are refused), ``denied`` (all are), ``forgetful`` (it knows no task),
    ``no_start`` (a reason), ``no_logs``, or ``lost``: the next RunTask starts its task, and its caller, who waits until
    that is "running" or "ended", never learns of it.
    """

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        moto_api_backend.reset()  # of what other tests of this process have left in moto's memory
        host, port = self._server.get_host_and_port()
        self.env = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }
        state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10**9})  # this class moves it on
        self._ecs: Any = ecs_backends[ACCOUNT][REGION]
        self._logs: Any = logs_backends[ACCOUNT][REGION]
        self._secrets: Any = secretsmanager_backends[ACCOUNT][REGION]
        self._real = {name: getattr(self._ecs, name) for name in ("run_task", "stop_task", "describe_tasks")}
        self._ecs.run_task, self._ecs.stop_task, self._ecs.describe_tasks = self._run, self._stop, self._describe
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self.reset()

    def reset(self) -> None:
        """End what runs, forget what ran, plant nothing."""
        self.asked, self.throttled, self.denied, self.forgetful = 0, 0, False, False
        self.lost, self.no_start, self.no_logs = "", "", False
        self.tasks: list[Any] = []
        self.strategies: list[Any] = []
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        self._ecs.tasks.clear()

    def close(self) -> None:
        """End what runs, and the server."""
        self.reset()
        for name, method in self._real.items():
            setattr(self._ecs, name, method)
        state_manager.unset_transition("ecs::task")
        self._server.stop()

    def interrupt(self) -> None:
        """AWS takes the Spot capacity of every running task back."""
        for task in self.running():
            task.stop_code, task.stopped_reason, task.desired_status = "SpotInterruption", SPOT, "STOPPED"
            self._terminate(task)

    def running(self) -> list[Any]:
        """The tasks whose process is at work."""
        return [task for task in self.tasks if task.last_status == "RUNNING"]

    def _run(self, cluster: str, definition: str, count: int, overrides: Any, *rest: Any, **named: Any) -> list[Any]:
        started: list[Any] = self._real["run_task"](cluster, definition, count, overrides, *rest, **named)
        self.strategies.append(rest[-1])
        for task in started:
            task.last_status, task.containers[0].exitCode = "PROVISIONING", None
            self.tasks.append(task)
            threading.Thread(target=self._live, args=[task], daemon=True).start()
        if self.lost:
            while started[0].last_status != ("STOPPED" if self.lost == "ended" else "RUNNING"):
                time.sleep(0.05)
            self.lost = ""
            raise JsonRESTError("ClientException", "the answer was lost")
        return started

    def _stop(self, _cluster: str, arn: str, reason: str) -> Any:
        task = next(one for one in self.tasks if one.task_arn.endswith(arn.rpartition("/")[2]))
        if task.last_status != "STOPPED":
            task.stop_code, task.stopped_reason, task.desired_status = "UserInitiated", reason, "STOPPED"
            self._terminate(task)
        return task

    def _describe(self, *arguments: Any) -> list[Any]:
        self.asked += 1
        if self.denied:
            raise JsonRESTError("AccessDeniedException", "not authorized to perform: ecs:DescribeTasks")
        if self.throttled:
            self.throttled -= 1
            raise JsonRESTError("ThrottlingException", "Rate exceeded")
        if self.forgetful:
            return []
        described: list[Any] = self._real["describe_tasks"](*arguments)
        return described

    def _terminate(self, task: Any) -> None:
        if process := self._processes.get(task.id):
            process.send_signal(signal.SIGTERM)

    def _live(self, task: Any) -> None:
        """A task's life: from the start of its process to its exit code."""
        defined = self._ecs.describe_task_definition(task.task_definition_arn).container_definitions[0]
        container = task.containers[0]
        if self.no_start:
            container.reason = self.no_start
            task.stop_code, task.stopped_reason, task.desired_status = "TaskFailedToStart", self.no_start, "STOPPED"
            task.last_status = container.last_status = "STOPPED"
            return
        told: dict[str, Any] = next(iter(task.overrides.get("containerOverrides", [])), {})
        command = [*defined["entryPoint"], *told.get("command", defined.get("command", []))]
        with limited(command, defined["memory"]) as limit:
            process = subprocess.Popen(
                limit.command,
                env=self._environment(defined),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            limit.watch(process)
            self._processes[task.id] = process
            task.last_status = container.last_status = "RUNNING"
            with process:
                self._keep_log(process, task.id, defined)
            code = process.returncode
            killed = limit.killed()
        container.exitCode = 128 - code if code < 0 else code
        if killed:
            container.reason = "OutOfMemoryError: Container killed due to memory usage"
        if not getattr(task, "stop_code", ""):
            task.stop_code, task.stopped_reason, task.desired_status = "EssentialContainerExited", ESSENTIAL, "STOPPED"
        container.last_status = "STOPPED"
        task.last_status = "STOPPED"

    def _environment(self, defined: dict[str, Any]) -> dict[str, str]:
        given = {one["name"]: one["value"] for one in defined["environment"]}
        secrets = {
            one["name"]: self._secrets.get_secret_value(one["valueFrom"], "", "")["SecretString"]
            for one in defined.get("secrets", [])
        }
        return {"PATH": os.environ["PATH"], "HOME": str(Path.home()), **given, **secrets}

    def _keep_log(self, process: subprocess.Popen[str], task_id: str, defined: dict[str, Any]) -> None:
        options = defined["logConfiguration"]["options"]
        group, stream = (
            options["awslogs-group"],
            f"{options['awslogs-stream-prefix']}/{defined['name']}/{task_id}",
        )
        if not self.no_logs:
            self._logs.create_log_stream(group, stream)
        assert process.stdout is not None
        for line in process.stdout:
            if not self.no_logs:
                event = {"timestamp": int(time.time() * 1000), "message": line.rstrip("\n") or " "}
                self._logs.put_log_events(group, stream, [event])
