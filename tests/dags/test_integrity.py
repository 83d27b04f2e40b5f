"""The Dags are what their contract says, and a Dag with a fault in it is found by name."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.dags.contract import CONTRACTS, Contract
from tests.dags.faults import OF_READING, OF_THE_DAG
from tests.dags.integrity import violations
from tests.dags.reading import readings
from tests.fixtures.airflow import ROOT

DAGS = ROOT / "dags"
FILE = "us_price.py"
ITS_CONTRACT: Mapping[str, Contract] = {"us_price_updater": CONTRACTS["us_price_updater"]}


def plant(folder: Path, fault: tuple[str, str], name: str = FILE) -> Path:
    """A copy of the Dag file with ``fault``, (text, its replacement), in ``folder``."""
    text = (DAGS / FILE).read_text()
    assert fault[0] in text
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text.replace(*fault))
    return folder / name


def test_the_dags_are_sound() -> None:
    assert violations(DAGS) == []


def test_reading_the_dags_does_nothing_else() -> None:
    found = readings(sorted(DAGS.glob("*.py")))
    assert len(found) == len({contract.file for contract in CONTRACTS.values()})
    assert {file.name: sentences for file, sentences in found.items() if sentences} == {}


def test_the_copy_without_a_fault_is_sound(tmp_path: Path) -> None:
    file = plant(tmp_path / "dags", ("**Triage.**", "**Triage.**"))
    assert violations(tmp_path / "dags", ITS_CONTRACT) == []
    assert readings([file]) == {file: []}


@pytest.mark.parametrize("fault", OF_THE_DAG)
def test_a_fault_of_the_dag_is_found(fault: str, tmp_path: Path) -> None:
    planted, sentence = OF_THE_DAG[fault]
    plant(tmp_path / "dags", planted)
    found = violations(tmp_path / "dags", ITS_CONTRACT)
    assert any(sentence in one for one in found), found


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What reading each of the files with a fault does, all of them in one go."""
    folder = tmp_path_factory.mktemp("read")
    files = {fault: plant(folder, OF_READING[fault][0], f"{number}.py") for number, fault in enumerate(OF_READING)}
    found = readings(list(files.values()))
    return {fault: found[file] for fault, file in files.items()}


@pytest.mark.parametrize("fault", OF_READING)
def test_a_fault_of_reading_is_found(fault: str, read: dict[str, list[str]]) -> None:
    sentence = OF_READING[fault][1]
    assert any(sentence in one for one in read[fault]), read[fault]


def test_a_dag_file_nobody_accounted_for_is_found(tmp_path: Path) -> None:
    folder = shutil.copytree(DAGS, tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "extra.py").write_text((folder / "macro.py").read_text().replace('JOBS["macro"]', 'JOBS["us-price"]'))
    (folder / "us_price.py").unlink()
    found = violations(folder)
    assert "extra.py is not accounted for: write its contract into tests/dags/contract.py" in found
    assert "us_price.py is gone: restore it, or take it out of tests/dags/contract.py" in found


def test_there_are_faults_enough() -> None:
    assert len(OF_THE_DAG) + len(OF_READING) >= 30
