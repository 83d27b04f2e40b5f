"""Airflow's components as processes of this machine: what `make up` starts, and the tests of real components."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from include.insight_invest.errors import InsightError
from include.insight_invest.orchestration.pools import POOLS
from local.processes import Processes

START_SECONDS = 180
USER = "admin"


def commands(port: int) -> dict[str, list[str]]:
    """The components that every Airflow has; its API answers at ``port`` of 127.0.0.1."""
    return {
        "scheduler": ["airflow", "scheduler", "--skip-serve-logs"],  # its log server would listen on every interface
        "dag-processor": ["airflow", "dag-processor"],
        "triggerer": ["airflow", "triggerer", "--skip-serve-logs"],
        "api-server": ["airflow", "api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
    }


def configuration(metadata: str, address: str, users: Path, secret: Callable[[str], str]) -> dict[str, str]:
    """What all components have in common: database ``metadata``, API at ``address``, ``users`` {name: password} as
    JSON, and the same secrets (``secret(name)`` is a Fernet key)."""
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata.replace("postgresql://", "postgresql+psycopg2://", 1),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__FERNET_KEY": secret("fernet"),
        "AIRFLOW__API_AUTH__JWT_SECRET": secret("jwt"),
        "AIRFLOW__API__SECRET_KEY": secret("api"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(users),
    }


def import_pools(env: Mapping[str, str], folder: Path) -> None:
    """Make the pool of each source: a task whose pool is not there waits for ever, and says so nowhere but in the log
    of the scheduler. Raises CalledProcessError; ``pools.log`` in ``folder`` says why."""
    file = folder / "pools.json"
    file.write_text(json.dumps({name: dict(pool) for name, pool in POOLS.items()}))
    with (folder / "pools.log").open("w") as out:
        command = ["airflow", "pools", "import", str(file)]
        subprocess.run(command, env=env, check=True, stdout=out, stderr=subprocess.STDOUT)


def free_port(*preferred: int) -> int:
    """A port of 127.0.0.1 that nobody uses: of ``preferred`` the first that is free. Raises InsightError."""
    for port in (*preferred, 0):
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(candidate.getsockname()[1])
    raise InsightError("no port of 127.0.0.1 is free")


def answers(address: str) -> bool:
    """Whether the API does: a scheduler that starts tasks before loses them until their next retry."""
    return bool(_health(address))


def is_healthy(address: str) -> bool:
    """Whether each component says that it is well."""
    health = _health(address)
    parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    return all((health.get(part) or {}).get("status") == "healthy" for part in parts)


def _health(address: str) -> dict[str, dict[str, str]]:
    """What the API says of the components; nothing where it does not answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{address}/api/v2/monitor/health", timeout=5) as answer:
            health: dict[str, dict[str, str]] = json.load(answer)
    except (OSError, urllib.error.URLError, json.JSONDecodeError):
        return {}
    return health


def wait(ready: Callable[[], bool], what: str, processes: Processes) -> None:
    """Wait for ``ready``; stop everything and raise InsightError naming the log to read where it does not come."""
    started = set(processes.running())
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if ready():
            return
        if dead := started - set(processes.running()):
            name = min(dead)
            processes.stop()
            raise InsightError(f"{name} ended while {what} was starting: see {processes.log(name)}")
        time.sleep(0.5)
    processes.stop()
    raise InsightError(f"{what} was not ready after {START_SECONDS} s: see the logs in {processes.log('*').parent}")
