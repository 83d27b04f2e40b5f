"""Images and Compose: limits, a root that nobody writes to, health checks that tell, nothing for hadolint to find."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from local import unprivileged
from tests.fixtures.airflow import ROOT
from tests.fixtures.market import THURSDAY, Market
from tests.setup.test_project_files import compose, filled

assert filled  # a fixture
DOCKERFILES = ("Dockerfile", "Dockerfile.api", "Dockerfile.updater")
WAIT_SECONDS = 120


@dataclass(frozen=True)
class Sealed:
    """A copy of what an image holds, that nobody may write to, and the one folder that is like its /tmp."""

    app: Path
    home: Path
    scratch: Path

    def start(self, market: Market, *command: str) -> "subprocess.Popen[str]":
        """``command``, of this Python, as a user without rights, where the image would be."""
        env = market.env | {
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            "PYTHONPATH": str(self.app),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        before = unprivileged.prefix(unprivileged.account(), Path(sys.executable), self.app)
        assert "dac_override" not in str(before)  # with that, it could write everywhere
        return subprocess.Popen([*before, sys.executable, *command], env=env, cwd=self.app, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)  # fmt: skip

    def files(self) -> set[Path]:
        """All there is but in the scratch folder."""
        return {*self.app.rglob("*"), *self.home.rglob("*")}


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Sealed]:
    made = Sealed(tmp_path / "app", tmp_path / "home", tmp_path / "scratch")
    shutil.copytree(ROOT / "include", made.app / "include", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "run_scheduled_job.py", made.app)
    for folder in (made.home, made.scratch):
        folder.mkdir()
    made.scratch.chmod(0o777)
    folders = [made.app, made.home, *(path for path in made.app.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield made
    for folder in folders:
        folder.chmod(0o755)


def test_the_updater_writes_nowhere_but_in_tmp(sealed: Sealed, market: Market) -> None:
    before = sealed.files()
    running = sealed.start(market, "run_scheduled_job.py", "--job", "us-price", "--as-of", THURSDAY, "--json")
    said, _ = running.communicate(timeout=WAIT_SECONDS)
    assert running.returncode == 0, said
    assert json.loads(said.splitlines()[-1])["rows"]["new"] == 6
    assert "Permission denied" not in said
    assert sealed.files() == before


def test_the_api_writes_nowhere_and_its_health_check_tells(sealed: Sealed, market: Market) -> None:
    before = sealed.files()
    port = _free_port()
    application = ("uvicorn", "include.insight_invest.api:app", "--host", "127.0.0.1", "--port", str(port))
    running = sealed.start(market, "-m", *application)
    try:
        assert _until_healthy(port, running)
    finally:
        running.terminate()
        said, _ = running.communicate(timeout=WAIT_SECONDS)
    assert not _is_healthy(port)
    assert "Permission denied" not in said
    assert sealed.files() == before


def _is_healthy(port: int) -> bool:
    """What the image's own HEALTHCHECK says, of the API at ``port``."""
    text = (ROOT / "Dockerfile.api").read_text()
    found = re.search(r"^HEALTHCHECK .*\\\n    CMD (\[.*\])$", text, re.MULTILINE)
    assert found
    python, *arguments = json.loads(found[1].replace(":8000", f":{port}"))
    assert python == "python"
    env = {"PATH": os.environ["PATH"]}
    return subprocess.run([sys.executable, *arguments], env=env, capture_output=True, check=False).returncode == 0


def _until_healthy(port: int, running: "subprocess.Popen[str]") -> bool:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and running.poll() is None:
        if _is_healthy(port):
            return True
        time.sleep(0.5)
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_finds_nothing(name: str) -> None:
    hadolint = str(Path(sys.executable).with_name("hadolint"))
    done = subprocess.run([hadolint, name], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_container_has_limits_and_ours_are_sealed(filled: Path) -> None:
    services = yaml.safe_load(compose(filled, "config").stdout)["services"]
    limits = {name: service["deploy"]["resources"]["limits"] for name, service in services.items()}
    assert {name for name, limit in limits.items() if not {"cpus", "memory"} <= limit.keys()} == set()
    ours = {name for name, service in services.items() if service.get("image", "").endswith(":local")}
    assert ours == {"api", "database-init"}
    for name in ours:
        kept = {key: services[name][key] for key in ("read_only", "tmpfs", "cap_drop", "security_opt")}
        assert kept == {
            "read_only": True,
            "tmpfs": ["/tmp"],
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
        }


def test_no_secret_has_a_default(filled: Path) -> None:
    """What is left out is not there: an alert's address is passed on where it is set, and is no empty connection."""
    text = (ROOT / "docker-compose.yaml").read_text()
    secrets = r"\$\{(\w*(?:PASSWORD|SECRET|_KEY)\w*):-([^}]*)\}"
    assert re.findall(secrets, text) == [("FRED_API_KEY", "")]  # without it macro says what is missing
    with filled.open("a") as file:
        file.write("INSIGHT_ALERT_EMAIL=ops@example.com\n")
    worker = yaml.safe_load(compose(filled, "config").stdout)["services"]["worker"]["environment"]
    assert (worker["INSIGHT_ALERT_EMAIL"], worker["AIRFLOW_CONN_INSIGHT_SLACK"]) == ("ops@example.com", None)
