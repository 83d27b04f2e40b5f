"""``make up`` and ``make down``: Airflow's real components on 127.0.0.1, with the demonstration's data.

Scheduler, dag-processor, triggerer and api-server, LocalExecutor, metadata in PostgreSQL; the sources are replayed,
with a clock that runs. Everything lies under ``.local/stack``.
"""

import json
import os
import secrets
import shlex
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from include.insight_invest.errors import InsightError
from local import LOCAL, ROOT, components, postgres, shown, world
from local.components import USER
from local.processes import Processes

FOLDER = LOCAL / "stack"
METADATA_DATABASE = "insight_airflow"
PREFERRED_PORT = 8080
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
    components.wait(env_file.exists, "the replayed sources", processes)
    replay_env = dict(line.split("=", 1) for line in env_file.read_text().splitlines())
    shared = components.configuration(metadata, _address(), _users(), _secret)
    env = {**world.environment(FOLDER / "airflow", url, replay_env), **shared}
    with console.status("Airflow's database"):
        world.migrate_airflow(env, FOLDER / "migrate.log")
        components.import_pools(env, FOLDER)
    _keep(FOLDER / "env", "".join(f"export {name}={shlex.quote(value)}\n" for name, value in _shown(env, url).items()))
    commands = components.commands(_port())
    with console.status("waiting for Airflow"):
        processes.start("api-server", commands.pop("api-server"), env)
        components.wait(lambda: components.answers(_address()), "the API", processes)
        for name, command in commands.items():
            processes.start(name, command, env)
        components.wait(lambda: components.is_healthy(_address()), "Airflow", processes)
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


def _users() -> Path:
    users = FOLDER / "users.json"
    if not users.exists():
        _keep(users, json.dumps({USER: secrets.token_urlsafe(12)}))
    return users


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
        file.write_text(str(components.free_port(PREFERRED_PORT)))
    return int(file.read_text())


def _address() -> str:
    return f"http://127.0.0.1:{_port()}"


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
