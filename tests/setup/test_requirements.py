"""The lock files and what MWAA installs: pinned, complete, from no particular index, and true to MWAA's constraints."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
LANES = {"3.2.1": "requirements.txt", "3.3.1": "requirements-3.3.1.txt"}
LOCKS = ["requirements-3.2.1.lock", "requirements-3.3.1.lock", "requirements-updater.lock", "requirements-api.lock"]
PROVIDERS = ["celery", "common-compat", "common-io", "common-sql", "fab", "http", "postgres", "smtp", "standard"]


def lines(name: str) -> list[str]:
    text = (REPOSITORY / name).read_text()
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def pins(name: str) -> dict[str, str]:
    """Package to version, of a requirements, constraints or lock file."""
    found = (re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line) for line in lines(name))
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def closure(roots: list[str]) -> set[str]:
    """Every package that ``roots`` need, by what the installed packages say of themselves."""
    seen: set[tuple[str, str]] = set()
    todo = [(Requirement(root), "") for root in roots]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for wanted in ["", *requirement.extras]:
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                try:
                    todo += [(Requirement(text), wanted) for text in requires(name) or []]
                except PackageNotFoundError:
                    pytest.fail(f"{name} is needed but not installed: run make setup, or make lock after a change")
    return {name for name, _ in seen}


@pytest.mark.parametrize("name", [*LANES.values(), *LOCKS])
def test_every_line_is_a_pin_or_a_hash_and_names_no_index(name: str) -> None:
    assert [
        line for line in lines(name) if not re.match(r"[a-z0-9][a-z0-9._-]*==[^ ]+( |$)|    --hash=sha256:", line)
    ] == []
    assert not re.search(
        r"https?:|^ *-[a-z]|--(index|extra|find|trusted)", (REPOSITORY / name).read_text(), re.MULTILINE
    )


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes(name: str) -> None:
    packages = re.split(r"\n(?=[a-z0-9])", (REPOSITORY / name).read_text().strip())
    assert [package.splitlines()[0] for package in packages if "--hash=sha256:" not in package] == []


@pytest.mark.parametrize("lane", LANES)
def test_versions_are_those_of_the_lock_and_of_mwaa(lane: str) -> None:
    locked = pins(f"requirements-{lane}.lock")
    required = pins(LANES[lane])
    assert locked["apache-airflow"] == lane
    assert required.items() <= locked.items()
    for constraints in (f"constraints/mwaa-{lane}.txt", f"constraints/mwaa-{lane}-essential.txt"):
        mwaa = pins(constraints)
        assert {name: (locked[name], mwaa[name]) for name in locked.keys() & mwaa if locked[name] != mwaa[name]} == {}


def test_the_images_hold_the_versions_of_the_default_lane() -> None:
    locked = pins("requirements-3.2.1.lock")
    assert pins("requirements-updater.lock").items() <= locked.items()
    assert pins("requirements-api.lock").items() <= locked.items()
    assert not {"apache-airflow", "pytest"} & pins("requirements-updater.lock").keys()
    assert not {"apache-airflow", "pytest", "pandas", "yfinance"} & pins("requirements-api.lock").keys()


def test_mwaa_installs_what_a_job_needs_and_its_image_lacks() -> None:
    """requirements.txt = all that the project's dependencies and its Dags need - all that MWAA's image holds."""
    file = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    project = file["project"]["dependencies"] + file["dependency-groups"]["worker"]
    image = closure(
        ["apache-airflow[celery,statsd]", "apache-airflow-providers-amazon[aiobotocore]"]
        + [f"apache-airflow-providers-{provider}" for provider in PROVIDERS]
    )
    assert pins(LANES[version("apache-airflow")]).keys() == closure(project) - image


IMPORT_WITH_ONLY = """
import importlib, pkgutil, sys
from importlib.metadata import packages_distributions
from packaging.utils import canonicalize_name

package, *locked = sys.argv[1:]
elsewhere = {module for module, owners in packages_distributions().items()
             if not {canonicalize_name(owner) for owner in owners} & set(locked)}

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in elsewhere:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

sys.meta_path.insert(0, Absent())
apart = [".migrations."]  # alembic runs these itself
if package == "include.insight_invest":
    apart += [".api.", ".orchestration."]  # of the other image, of Airflow
for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
    if not any(part in module.name + "." for part in apart):
        importlib.import_module(module.name)
"""


@pytest.mark.parametrize(
    ("lock", "package"),
    [("requirements-updater.lock", "include.insight_invest"), ("requirements-api.lock", "include.insight_invest.api")],
)
def test_an_image_holds_all_that_its_modules_import(lock: str, package: str) -> None:
    command = [sys.executable, "-c", IMPORT_WITH_ONLY, package, *pins(lock)]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
