"""The Makefile, the containers and the workflow: what they promise in writing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSE = Path(sys.executable).with_name("docker-compose")
SECRETS = {
    "AIRFLOW_ADMIN_PASSWORD", "AIRFLOW_DB_PASSWORD", "AIRFLOW_FERNET_KEY", "AIRFLOW_JWT_SECRET", "AIRFLOW_SECRET_KEY",
    "INSIGHT_DB_PASSWORD", "REDIS_PASSWORD",
}  # fmt: skip


def compose(env_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(env_file.parent)}
    command = [str(COMPOSE), "--env-file", str(env_file), *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """The example's environment as a user fills it in."""
    example = (REPOSITORY / ".env.example").read_text()
    file = tmp_path / "filled"
    file.write_text(re.sub(r"(?m)^([A-Z_]+)=$", r"\1=filled", example))
    return file


def test_make_help_lists_every_target() -> None:
    listed = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^make ([a-z-]+)", listed, re.MULTILINE) == [
        "help", "setup", "demo", "test", "test-celery", "chaos", "fuzz", "lint", "up", "down", "dags-test", "bundle",
        "bench", "lock",
    ]  # fmt: skip


def test_compose_refuses_to_start_with_an_empty_secret() -> None:
    result = compose(REPOSITORY / ".env.example", "config", "--quiet")
    assert result.returncode != 0
    assert set(re.findall(r"required variable (\w+) is missing", result.stderr)) == SECRETS


def test_compose_publishes_on_127_0_0_1_only_and_pins_what_it_pulls(filled: Path) -> None:
    services = yaml.safe_load(compose(filled, "config").stdout)["services"]
    assert sorted(services) == [
        "airflow-init", "api", "api-server", "dag-processor", "database-init", "postgres", "redis", "scheduler",
        "triggerer", "worker",
    ]  # fmt: skip
    assert {port["host_ip"] for service in services.values() for port in service.get("ports", [])} == {"127.0.0.1"}
    assert {name for name, service in services.items() if "healthcheck" not in service} == {
        "airflow-init",
        "database-init",
    }
    pulled = [service["image"] for service in services.values() if "build" not in service]
    assert all(re.search(r":\d+\.\d+(\.\d+)?$", image) for image in pulled), pulled


@pytest.mark.parametrize("name", ["Dockerfile.updater", "Dockerfile.api"])
def test_images_install_from_hashes_and_do_not_run_as_root(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    assert "--require-hashes" in text
    assert re.search(r"^FROM python:3\.12\.\d+-slim", text, re.MULTILINE)
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)


def test_packages_txt_is_empty_because_wheels_need_no_system_package() -> None:
    assert (REPOSITORY / "packages.txt").read_bytes() == b""


def test_the_workflow_holds_no_permission_and_no_moving_action() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text())
    assert workflow["permissions"] == {}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)
    assert [step["run"] for step in steps if "run" in step] == ["bash .ci/run"]
