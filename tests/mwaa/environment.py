"""An MWAA environment on this machine: its image's packages, its layout, its settings, and the bundle in it.

What MWAA does is known from the sources of its image (aws/amazon-mwaa-docker-images). Not here: Celery on SQS (the
image's other executor, LocalExecutor, stands for it), IAM logins, CloudWatch.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

from local import LOCAL, ROOT
from tests.fixtures.outside import ENVIRONMENT

PIP_SECONDS = 9 * 60  # what MWAA gives a requirements.txt
STARTUP_SECONDS = 5 * 60
UV = str(Path(sys.executable).with_name("uv"))
_WITH_INDEXES = f'python=$1; shift; . "{ROOT}/scripts/indexes"; exec "$@" $no_index'

# Set by MWAA above whatever an environment's options or its startup.sh say.
ESSENTIAL = {
    "AIRFLOW__API_AUTH__JWT_ALGORITHM": "HS256",
    "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__MULTI_TEAM": "False",
    "AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME": "86400",
    "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
    "AIRFLOW__METRICS__METRICS_ALLOW_LIST": "",
    "AIRFLOW__METRICS__METRICS_BLOCK_LIST": "",
    "AIRFLOW__METRICS__STATSD_HOST": "localhost",
    "AIRFLOW__METRICS__STATSD_ON": "True",
    "AIRFLOW__METRICS__STATSD_PORT": "8125",
    "AIRFLOW__METRICS__STATSD_PREFIX": "airflow",
    "AIRFLOW__SCHEDULER__STANDALONE_DAG_PROCESSOR": "True",
    "AIRFLOW__TRIGGERER__QUEUES_ENABLED": "False",
    "AWS_DEFAULT_REGION": "ap-northeast-2",
    "AWS_REGION": "ap-northeast-2",
    "PYTHONUNBUFFERED": "1",
}
# MWAA's own choice, which an environment's options may change.
OPINIONATED = {
    "AIRFLOW__CORE__EXECUTE_TASKS_NEW_PYTHON_INTERPRETER": "True",
    "AIRFLOW__CORE__SENSITIVE_VAR_CONN_NAMES": "proxy,proxies",
    "AIRFLOW__SCHEDULER__SCHEDULE_AFTER_TASK_EXECUTION": "False",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "1800.0",
    "AIRFLOW__SECRETS__BACKEND_KWARGS": '{"connections_lookup_pattern": "^(?!aws_default$).*$"}',
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS": '{"connections_lookup_pattern": "^(?!aws_default$).*$"}',
}


@dataclass
class Environment:
    """``home`` stands for /usr/local/airflow; ``image`` and ``installed`` are {package: version} before and after."""

    home: Path
    lane: str
    image: dict[str, str] = field(default_factory=dict)
    installed: dict[str, str] = field(default_factory=dict)
    pip_output: str = ""

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self.home / ".local" / "bin" / "python"

    def env(self, options: Mapping[str, str] | None = None) -> dict[str, str]:
        """A container's variables, none of them this process's; ``options`` are the environment's Airflow options.

        Later ones win, as on MWAA: its opinions, what startup.sh exports, the options, what it insists on.
        """
        fixed = {
            "PATH": f"{self.python.parent}:/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "AIRFLOW_HOME": str(self.home),
            "PYTHONPATH": str(self.home.parent / "python"),
        }
        return {**OPINIONATED, **self._started(fixed), **(options or {}), **ESSENTIAL, **fixed}

    def run(self, *command: str, options: Mapping[str, str] | None = None, seconds: int = 120) -> str:
        """What ``command`` prints in a container of the environment; raises where it fails, with what it said."""
        result = subprocess.run(
            command, env=self.env(options), cwd=self.home, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert result.returncode == 0, f"{command} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def _started(self, before: Mapping[str, str]) -> dict[str, str]:
        """What startup.sh has exported; MWAA's own script sources it, and keeps the variables."""
        shell = [shutil.which("bash") or "bash", "-c", ". startup/startup.sh && env -0"]
        shown = subprocess.run(
            shell, env=dict(before), cwd=self.home, capture_output=True, text=True, timeout=STARTUP_SECONDS, check=True
        ).stdout
        after = dict(line.split("=", 1) for line in shown.rpartition("\0")[0].split("\0"))
        return {name: value for name, value in after.items() if name not in {*before, "_", "PWD", "SHLVL", "OLDPWD"}}


def lay_out(bundle: Path, home: Path) -> None:
    """Put a bundle where MWAA puts it."""
    (home.parent / "python").mkdir(parents=True)
    shutil.copytree(bundle / "dags", home / "dags")
    with ZipFile(bundle / "plugins.zip") as archive:
        archive.extractall(home / "plugins")
    for name in ("requirements", "startup"):
        (home / name).mkdir()
    shutil.copy(bundle / "requirements.txt", home / "requirements")
    shutil.copy(bundle / "startup.sh", home / "startup")


def install(environment: Environment) -> None:
    """The image's packages by uv, which is quick, then requirements.txt by pip, as MWAA does it; wheels only."""
    venv = str(environment.python.parent.parent)
    constraints = [ROOT / "constraints" / f"mwaa-{environment.lane}{kind}.txt" for kind in ("", "-essential")]
    pinned = [word for file in constraints for word in ("-c", str(file))]
    _uv("venv", "--quiet", "--seed", "--python", sys.executable, venv)
    _uv("pip", "install", "--quiet", "--only-binary", ":all:", "--python", venv, *pinned,
        "--group", f"{ROOT}/pyproject.toml:airflow")  # fmt: skip
    environment.image = _packages(environment)
    requirements = str(environment.home / "requirements" / "requirements.txt")
    result = subprocess.run(
        [str(environment.python), "-m", "pip", "install", "--only-binary", ":all:", "-r", requirements, *pinned],
        env=_outside(), cwd=environment.home, capture_output=True, text=True, timeout=PIP_SECONDS, check=False,
    )  # fmt: skip
    environment.pip_output = result.stdout + result.stderr
    assert result.returncode == 0, environment.pip_output
    environment.installed = _packages(environment)


def _packages(environment: Environment) -> dict[str, str]:
    listed = subprocess.run(
        [UV, "pip", "list", "--format", "json", "--python", str(environment.python)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return {package["name"]: package["version"] for package in json.loads(listed)}


def _uv(*arguments: str) -> None:
    command = ["sh", "-c", _WITH_INDEXES, "sh", str(sys._base_executable), UV, *arguments]  # type: ignore[attr-defined]
    result = subprocess.run(
        command, env=_outside(), cwd=ROOT, capture_output=True, text=True, timeout=PIP_SECONDS, check=False
    )
    assert result.returncode == 0, result.stderr


def _outside() -> dict[str, str]:
    """This machine's own environment, for its package index; the caches are the checkout's."""
    unwanted = {"PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PIP_CONSTRAINT", "PIP_USER"}
    kept = {name: value for name, value in ENVIRONMENT.items() if name not in unwanted}
    caches = {"UV_CACHE_DIR": str(LOCAL / "cache" / "uv"), "PIP_CACHE_DIR": str(LOCAL / "cache" / "pip")}
    return {**kept, **caches, "UV_NO_PROGRESS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
