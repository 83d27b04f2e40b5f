"""Every command of the README runs, each block in a shell of its own, in their order."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.fixtures import outside
from tests.fixtures.airflow import ROOT

CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
# Running the tests in a test would never end: CI runs these, and the first test sees to that.
RUN_BY_CI = ("make test", "make lint")


def blocks() -> list[list[str]]:
    """The README's commands, a list for each block."""
    found = CONSOLE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    return [[line.removeprefix("$ ") for line in block.strip().splitlines()] for block in found]


def test_ci_runs_what_a_test_cannot() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    for command in RUN_BY_CI:
        assert re.search(rf"^\s*{command}\b", script, re.MULTILINE), f".ci/run must call `{command}`"


@pytest.mark.timeout(900)
def test_the_commands_run(tmp_path: Path) -> None:
    """In a world of its own: the checkout's .local, and whatever runs there, is left alone."""
    env = outside.ENVIRONMENT | {"INSIGHT_LOCAL": str(tmp_path)}
    env.pop("DATABASE_URL", None)
    shown = ""
    try:
        for block in blocks():
            commands = [line.replace(".local/", f"{tmp_path}/") for line in block if line not in RUN_BY_CI]
            shell = ["bash", "-euo", "pipefail", "-c", f'PATH="{ROOT}/.venv/bin:$PATH"\n' + "\n".join(commands)]
            result = subprocess.run(shell, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=600)
            assert result.returncode == 0, f"{commands}\n{result.stdout[-6000:]}\n{result.stderr[-6000:]}"
            shown += result.stdout
    finally:
        subprocess.run(["make", "down"], cwd=ROOT, env=env, check=True, capture_output=True)

    assert "What the ledger (tb_job_run) says" in shown
    assert "Airflow is up: http://127.0.0.1:" in shown
    assert '"job": "all", "exit_code": 0' in shown
    assert "stopped: triggerer, dag-processor, scheduler, api-server" in shown
