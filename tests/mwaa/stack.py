"""The components of an MWAA environment, on real PostgreSQL, and a client of its REST API."""

import json
import secrets
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from local.processes import Processes
from tests.mwaa.environment import Environment

START_SECONDS = 240
_USER, _PASSWORD = "operator", secrets.token_hex(12)


class Stack:
    """Scheduler, dag-processor, triggerer and api-server of ``environment``."""

    def __init__(self, environment: Environment, metadata: str, options: Mapping[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.address = f"http://127.0.0.1:{self._port}"
        self.options = {
            **options,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata.replace("postgresql://", "postgresql+psycopg2://", 1),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.address}/execution/",
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
        }
        self._environment = environment
        self._processes = Processes(environment.home / "processes")
        self._token = ""

    def start(self) -> None:
        """Migrate, start, log in; raises where that does not come about, with the end of each log."""
        self._environment.run("airflow", "db", "migrate", options=self.options)
        # Before the api-server: both write the roles, and the second of two at once fails.
        person = ["--username", _USER, "--password", _PASSWORD, "--firstname", "O", "--lastname", "P"]
        self._environment.run(
            *("airflow", "users", "create", "--role", "Admin", "--email", "o@example.com", *person),
            options=self.options,
        )
        env = self._environment.env(self.options)
        for name, command in {
            "api-server": ["airflow", "api-server", "--host", "127.0.0.1", "--port", str(self._port), "--workers", "1"],
            "scheduler": ["airflow", "scheduler", "--skip-serve-logs"],
            "dag-processor": ["airflow", "dag-processor"],
            "triggerer": ["airflow", "triggerer", "--skip-serve-logs"],
        }.items():
            self._processes.start(name, command, env)
        self.wait(self._is_healthy, START_SECONDS, "Airflow is healthy")
        told = self._ask("POST", "/auth/token", {"username": _USER, "password": _PASSWORD})
        self._token = told["access_token"]

    def stop(self) -> None:
        """End what was started."""
        self._processes.stop()

    def api(self, method: str, path: str, body: object = None) -> Any:
        """What the REST API answers."""
        return self._ask(method, f"/api/v2{path}", body)

    def get(self, path: str, *, login: bool = True) -> tuple[int, str]:
        """(status, body) of a page, for who is logged in or for a stranger."""
        request = urllib.request.Request(self.address + path, headers=self._login() if login else {})
        try:
            with _opener().open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait(self, ready: Callable[[], object], seconds: float, what: str | Callable[[], str]) -> None:
        """Wait until ``ready`` is true; ``what`` says what for."""
        end = time.monotonic() + seconds
        while not ready():
            told = what() if callable(what) else what
            assert time.monotonic() < end, f"{told}: not within {seconds} s\n{self._logs()}"
            time.sleep(0.5)

    def _is_healthy(self) -> bool:
        try:
            health = self._ask("GET", "/api/v2/monitor/health")
        except OSError:
            return False
        return all((part or {}).get("status") == "healthy" for part in health.values())

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self._login()}
        request = urllib.request.Request(self.address + path, data=data, headers=headers, method=method)
        with _opener().open(request, timeout=60) as answer:
            return json.load(answer)

    def _login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _logs(self) -> str:
        logs: list[Path] = sorted((self._environment.home / "processes").glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in logs)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
