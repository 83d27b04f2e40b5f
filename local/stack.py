"""``make up`` and ``make down``: Airflow's real components on 127.0.0.1, with the demonstration's data.

Scheduler, dag-processor, triggerer and api-server, LocalExecutor, metadata in PostgreSQL; the sources are replayed,
with a clock that runs. Everything lies under ``.local/stack``.
"""

import json
import os
import secrets
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from rich.console import Console

from include.insight_invest.errors import InsightError
from local import LOCAL, ROOT, postgres, shown, world
from local.processes import Processes

FOLDER = LOCAL / "stack"
METADATA_DATABASE = "insight_airflow"
PREFERRED_PORT = 8080
START_SECONDS = 180
USER = "admin"
_SHOWN = (
    *("PATH", "PYTHONPATH", "FRED_API_KEY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy"),
)

console = Console(highlight=False, soft_wrap=True)


def up() -> int:
    """Start what does not run yet, wait until it is healthy, print the address."""
    processes = Processes(FOLDER)
    if processes.running():
        console.print(f"already up: {_address()}  (login {USER} / {_password()}); `make down` stops it")
        return 0
    with console.status("database and data"):
        url = world.prepare_database()
        metadata = world.database(METADATA_DATABASE)
    env_file = FOLDER / "replay.env"
    env_file.unlink(missing_ok=True)
    processes.start("sources", [sys.executable, "-m", "local.replayed", str(env_file)], _plain_environment())
    _wait(env_file.exists, "the replayed sources", processes)
    replay_env = dict(line.split("=", 1) for line in env_file.read_text().splitlines())
    env = {**world.environment(FOLDER / "airflow", url, replay_env), **_configuration(metadata)}
    with console.status("Airflow's database"):
        world.migrate_airflow(env, FOLDER / "migrate.log")
    _keep(FOLDER / "env", "".join(f"export {name}={shlex.quote(value)}\n" for name, value in _shown(env, url).items()))
    for name, command in _commands().items():
        processes.start(name, command, env)
    with console.status("waiting for Airflow"):
        _wait(_is_healthy, "Airflow", processes)
    console.print(f"Airflow is up: {_address()}  (login {USER} / {_password()})")
    console.print("The Dags are not paused: each runs its last scheduled instant now, on the demonstration's data.")
    console.print(f"A shell in the same world: source {shown(FOLDER)}/env   Logs: {shown(FOLDER)}/   Stop: make down")
    return 0


def down() -> int:
    """Stop every process, and the database server."""
    stopped = Processes(FOLDER).stop()
    if postgres.stop():
        stopped.append("postgresql")
    console.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
    return 0


def _commands() -> dict[str, list[str]]:
    return {
        "scheduler": ["airflow", "scheduler", "--skip-serve-logs"],  # its log server would listen on every interface
        "dag-processor": ["airflow", "dag-processor"],
        "triggerer": ["airflow", "triggerer", "--skip-serve-logs"],
        "api-server": ["airflow", "api-server", "--host", "127.0.0.1", "--port", str(_port()), "--workers", "1"],
    }


def _configuration(metadata: str) -> dict[str, str]:
    users = FOLDER / "users.json"
    if not users.exists():
        _keep(users, json.dumps({USER: secrets.token_urlsafe(12)}))
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata.replace("postgresql://", "postgresql+psycopg2://", 1),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{_address()}/execution/",
        "AIRFLOW__CORE__FERNET_KEY": _secret("fernet"),
        "AIRFLOW__API_AUTH__JWT_SECRET": _secret("jwt"),
        "AIRFLOW__API__SECRET_KEY": _secret("api"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(users),
    }


def _secret(name: str) -> str:
    """A secret of this checkout, made once."""
    file = FOLDER / f"{name}.secret"
    if not file.exists():
        from cryptography.fernet import Fernet

        _keep(file, Fernet.generate_key().decode())
    return file.read_text()


def _keep(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)


def _password() -> str:
    return str(json.loads((FOLDER / "users.json").read_text())[USER])


def _port() -> int:
    """8080 where it is free at the first start, else one that is; kept, so that the address stays the same."""
    file = FOLDER / "port"
    if not file.exists():
        file.write_text(str(_free_port()))
    return int(file.read_text())


def _free_port() -> int:
    for port in (PREFERRED_PORT, 0):
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(candidate.getsockname()[1])
    raise InsightError("no port of 127.0.0.1 is free")


def _address() -> str:
    return f"http://127.0.0.1:{_port()}"


def _is_healthy() -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{_address()}/api/v2/monitor/health", timeout=5) as answer:
            health = json.load(answer)
    except (OSError, urllib.error.URLError, json.JSONDecodeError):
        return False
    parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    return all((health.get(part) or {}).get("status") == "healthy" for part in parts)


def _wait(ready: "object", what: str, processes: Processes) -> None:
    """Wait for ``ready``; stop everything and say which log to read where it does not come."""
    started = set(processes.running())
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if ready():  # type: ignore[operator]
            return
        if dead := started - set(processes.running()):
            name = min(dead)
            processes.stop()
            raise InsightError(f"{name} ended while {what} was starting: see {processes.log(name)}")
        time.sleep(0.5)
    processes.stop()
    raise InsightError(f"{what} was not ready after {START_SECONDS} s: see the logs in {FOLDER}")


def _shown(env: dict[str, str], database_url: str) -> dict[str, str]:
    """What a shell needs to run `airflow` and `run_scheduled_job.py` as these processes would."""
    ours = {name: value for name, value in env.items() if name in _SHOWN or name.startswith(("AIRFLOW", "INSIGHT_"))}
    return {**ours, "DATABASE_URL": database_url}


def _plain_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def main() -> int:
    """``up`` or ``down``."""
    action = {"up": up, "down": down}.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if action is None:
        console.print("usage: python -m local.stack up|down")
        return 2
    try:
        return action()
    except (InsightError, OSError, subprocess.CalledProcessError) as error:
        console.print(f"stopped: {error}", style="red", markup=False)
        return 1


if __name__ == "__main__":
    sys.exit(main())
