"""`make bundle`: what is in it, that it is the same each time, and what it refuses."""

import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from include.insight_invest.errors import UsageError
from include.insight_invest.orchestration.pools import POOLS
from local import ROOT
from local.bundle import __main__ as command
from local.bundle.build import LANES, build
from local.bundle.startup import fill, read_settings
from tests.mwaa.conftest import OPTIONS

FILES = {
    ".gitignore": "__pycache__/\n",
    "dags/prices.py": "# an airflow dag\n",
    "include/__init__.py": "",
    "include/store/insert.sql": "insert into tb_bar values (1)\n",
    "plugins/.airflowignore": "include/\n",
    "plugins/page.py": "# a plugin\n",
    "requirements.txt": "pandas==2.3.3\n",
    "requirements-3.3.1.txt": "pandas==3.0.5\n",
    "startup.sh": "#!/bin/sh\n# settings\n",
    "tests/test_page.py": "# not for MWAA\n",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small repository with one commit."""
    root = tmp_path / "checkout"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "first"]):
        subprocess.run(["git", "-C", str(root), *arguments], check=True)
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def entries(archive: Path) -> dict[str, str]:
    with ZipFile(archive) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


def test_a_bundle_is_what_mwaa_takes_and_a_manifest(checkout: Path, tmp_path: Path) -> None:
    made = build(checkout, tmp_path / "build", "3.2.1")
    found = contents(tmp_path / "build")
    assert sorted(found) == ["dags/prices.py", "manifest.json", "plugins.zip", "requirements.txt", "startup.sh"]
    assert found["requirements.txt"] == b"pandas==2.3.3\n"
    assert entries(tmp_path / "build" / "plugins.zip") == {
        ".airflowignore": "include/\n",
        "include/__init__.py": "",
        "include/store/insert.sql": "insert into tb_bar values (1)\n",
        "page.py": "# a plugin\n",
    }
    manifest = json.loads(found.pop("manifest.json"))
    assert (manifest["airflow"], manifest["commit"], manifest["differences"]) == ("3.2.1", made.commit, [])
    assert manifest["files"] == {
        name: {"bytes": len(data), "sha256": sha256(data).hexdigest()} for name, data in sorted(found.items())
    }


def test_the_same_commit_makes_the_same_bytes_wherever_and_whenever(checkout: Path, tmp_path: Path) -> None:
    build(checkout, tmp_path / "first", "3.2.1", "ENVIRONMENT=production")
    (checkout / "include" / "__pycache__").mkdir()
    (checkout / "include" / "__pycache__" / "x.cpython-312.pyc").write_bytes(b"compiled")
    for file in checkout.rglob("*.*"):
        if ".git" not in file.parts:
            os.utime(file, (1_000_000_000, 1_000_000_000))
    moved = checkout.rename(tmp_path / "moved")
    build(moved, tmp_path / "second", "3.2.1", "ENVIRONMENT=production")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_the_bytes_do_not_depend_on_the_library_that_compresses(checkout: Path, tmp_path: Path) -> None:
    build(checkout, tmp_path, "3.2.1")
    with ZipFile(tmp_path / "plugins.zip") as archive:
        assert {(i.compress_type, i.date_time, i.external_attr >> 16, i.create_system) for i in archive.infolist()} == {
            (0, (1980, 1, 1, 0, 0, 0), 0o100644, 3)
        }


def test_what_is_not_committed_is_told_and_untracked_files_are_left_out(checkout: Path, tmp_path: Path) -> None:
    (checkout / "dags" / "prices.py").write_text("# an airflow dag, changed\n")
    (checkout / "dags" / "forgotten.py").write_text("# an airflow dag\n")
    (checkout / "include" / "store" / "insert.sql").unlink()
    made = build(checkout, tmp_path / "build", "3.2.1")
    assert made.differences == [" D include/store/insert.sql", " M dags/prices.py", "?? dags/forgotten.py"]
    assert (tmp_path / "build" / "dags" / "prices.py").read_text() == "# an airflow dag, changed\n"
    assert not (tmp_path / "build" / "dags" / "forgotten.py").exists()
    assert "include/store/insert.sql" not in entries(tmp_path / "build" / "plugins.zip")


def test_a_bundle_replaces_the_one_before_and_leaves_other_files(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "bench.json").write_text("{}")
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "gone.py").write_text("# of a bundle before\n")
    build(checkout, tmp_path, "3.3.1")
    assert (tmp_path / "bench.json").exists()
    assert [file.name for file in (tmp_path / "dags").iterdir()] == ["prices.py"]
    assert (tmp_path / "requirements.txt").read_text() == "pandas==3.0.5\n"


def test_without_git_s_history_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not a git repository.*needs a clone of the repository; nothing was written"):
        build(tmp_path, tmp_path / "build", "3.2.1")
    assert not (tmp_path / "build").exists()


def test_settings_are_exported_by_startup_sh(tmp_path: Path) -> None:
    settings = read_settings("# production\nENVIRONMENT=it's production\n\nINSIGHT_YAHOO_RATE = 1.5\n")
    assert settings == {"ENVIRONMENT": "it's production", "INSIGHT_YAHOO_RATE": "1.5"}
    script = tmp_path / "startup.sh"
    script.write_text(fill((ROOT / "startup.sh").read_text(), settings))
    for shell in ("sh", "bash"):
        shown = subprocess.run(
            [shell, "-c", f'. {script}; env; echo "options $-"'], env={"PATH": os.environ["PATH"]},
            capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        own = [line for line in shown[:-1] if not line.startswith(("PATH=", "PWD=", "SHLVL=", "_="))]
        assert sorted(own) == ["ENVIRONMENT=it's production", "INSIGHT_YAHOO_RATE=1.5"]
        assert not re.search("[eu]", shown[-1].removeprefix("options"))  # MWAA's own script goes on in this shell


@pytest.mark.skipif(not Path(sys.executable).with_name("shellcheck").exists(), reason="no wheel for this platform")
def test_startup_sh_with_settings_is_as_clean_as_without(tmp_path: Path) -> None:
    script = tmp_path / "startup.sh"
    script.write_text(fill((ROOT / "startup.sh").read_text(), {"INSIGHT_ECS_SUBNETS": "subnet-1,subnet-2"}))
    shellcheck = Path(sys.executable).with_name("shellcheck")
    assert subprocess.run([shellcheck, script], capture_output=True, text=True, check=False).stdout == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("DATABASE_URL=postgresql://me:secret@db/insight", "is a secret: DATABASE_URL"),
        ("FRED_API_KEY=0123456789abcdef0123456789abcdef", "is a secret: FRED_API_KEY"),
        ("PYTHONPATH=/usr/local/airflow", "no NAME=value of a setting: PYTHONPATH"),
        ("INSIGHT_YAHO_RATE=1", "no NAME=value of a setting: INSIGHT_YAHO_RATE"),
        ("export ENVIRONMENT", "no NAME=value of a setting"),
        ("INSIGHT_YAHOO_RATE=fast", "INSIGHT_YAHOO_RATE: Input should be a valid number"),
        (
            "INSIGHT_EXECUTION=ecs",
            "the settings lack INSIGHT_ECS_CLUSTER, INSIGHT_ECS_SUBNETS, INSIGHT_ECS_SEC",
        ),
    ],
)
def test_a_secret_a_stranger_and_an_unusable_value_are_refused(line: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        read_settings(line)
    assert "secret@" not in str(refused.value)


def test_all_that_the_code_reads_beside_itself_is_in_plugins_zip(tmp_path: Path) -> None:
    build(ROOT, tmp_path, "3.2.1")
    names = set(entries(tmp_path / "plugins.zip"))
    kinds = {Path(name).suffix for name in names}
    assert {".py", ".sql", ".csv", ".jinja", ".css"} <= kinds
    assert {"include/insight_invest/store/sql/roles.sql", "include/insight_invest/sessions/table/xnys.csv"} <= names
    assert "include/insight_invest/store/migrations/versions/0001_up.sql" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith(("tests/", "local/", "plugins/"))]


@pytest.mark.parametrize("file", LANES.values())
def test_requirements_leave_the_constraints_to_mwaa(file: str) -> None:
    """MWAA adds its own unless a line, even a comment, has what looks like the option."""
    text = (ROOT / file).read_text()
    assert [line for line in text.splitlines() if re.search("-c |--constraint |--extra-index-url", line)] == []


def test_the_document_s_settings_options_and_pools_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "mwaa.md").read_text()
    assert read_settings("\n".join(re.findall("^    ([A-Z_]+=.*)$", text, re.MULTILINE)))["INSIGHT_EXECUTION"] == "ecs"
    kwargs = re.search(r"secrets.backend_kwargs\s+(\{.*?\})", text, re.DOTALL)
    assert kwargs
    assert json.loads(kwargs[1]) == json.loads(OPTIONS["AIRFLOW__SECRETS__BACKEND_KWARGS"])
    pools = re.search("for pool in ([a-z ]+);", text)
    assert pools
    assert set(pools[1].split()) == set(POOLS)


def test_the_command_shows_what_it_made_and_what_is_wrong(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "ROOT", checkout)
    monkeypatch.setattr(command, "TARGET", tmp_path / "build")
    monkeypatch.setattr(sys, "argv", ["bundle"])
    assert command.main() == 0
    assert "4 files of plugins/ and include/" in capsys.readouterr().out
    (tmp_path / "wrong.env").write_text("FRED_API_KEY=0\n")
    monkeypatch.setattr(sys, "argv", ["bundle", "--settings", str(tmp_path / "wrong.env")])
    assert command.main() == 2
    assert "make bundle stopped: line 1 of the settings is a secret" in capsys.readouterr().out
