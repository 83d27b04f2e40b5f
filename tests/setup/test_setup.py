"""scripts/setup, make, and the files that describe where the project runs. No network: packages are made here."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
UV = shutil.which("uv", path=str(Path(sys.executable).parent))
PYTHON = Path(os.path.realpath(sys.executable))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with an empty lock and, on its own PATH, this Python and this uv."""
    root = tmp_path / "check out"
    (root / "scripts").mkdir(parents=True)
    for script in ("setup", "indexes"):
        shutil.copy(REPOSITORY / "scripts" / script, root / "scripts")
    (root / "requirements-3.2.1.lock").write_text("")
    tools, wheels = tmp_path / "tools", tmp_path / "wheels"
    tools.mkdir()
    wheels.mkdir()
    assert UV is not None
    (tools / "uv").symlink_to(UV)
    (tools / "python3.12").symlink_to(PYTHON)
    return root


def set_up(checkout: Path, *, path: str | None = None, lane: str = "3.2.1") -> subprocess.CompletedProcess[str]:
    """Run the set-up as a stranger's shell would, with no index but the folder of wheels."""
    environment = {
        "PATH": path or f"{checkout.parent / 'tools'}:/usr/bin:/bin",
        "HOME": str(checkout.parent / "home"),
        "LANE": lane,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(checkout.parent / "wheels"),
        "PIP_CONFIG_FILE": os.devnull,
        "UV_NO_CONFIG": "1",
    }
    return subprocess.run(
        [checkout / "scripts" / "setup"], env=environment, capture_output=True, text=True, check=False
    )


def wheel(folder: Path, name: str, version: str, script: str = "") -> str:
    """Make a package that holds its version, and maybe a command of its name; return the line that locks it."""
    file = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if script:
        files[f"{name}-{version}.data/scripts/{name}"] = script
    digests = {path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()) for path, text in files.items()}
    record = "".join(f"{path},sha256={digest.rstrip(b'=').decode()},\n" for path, digest in digests.items())
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in (files | {f"{info}/RECORD": record + f"{info}/RECORD,,\n"}).items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o100755 << 16  # a command must be executable
            archive.writestr(entry, text)
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


def installed(checkout: Path, name: str, venv: str = ".venv") -> str:
    command = [str(checkout / venv / "bin" / "python"), "-c", f"import {name}; print({name}.version)"]
    return subprocess.check_output(command, text=True).strip()


def test_it_installs_the_lock_into_the_checkout_and_is_quick_the_second_time(checkout: Path) -> None:
    lock = checkout / "requirements-3.2.1.lock"
    lock.write_text(wheel(checkout.parent / "wheels", "quotes", "1.0"))
    assert set_up(checkout).returncode == 0
    assert installed(checkout, "quotes") == "1.0"
    assert (checkout / ".venv/lib/python3.12/site-packages/__pycache__/quotes.cpython-312.pyc").exists()
    assert not (checkout.parent / "home").exists()

    began = time.monotonic()
    again = set_up(checkout)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert time.monotonic() - began < 1


def test_a_changed_lock_is_installed_and_what_it_lacks_is_removed(checkout: Path) -> None:
    wheels, lock = checkout.parent / "wheels", checkout / "requirements-3.2.1.lock"
    lock.write_text(wheel(wheels, "quotes", "1.0") + wheel(wheels, "stray", "1.0"))
    assert set_up(checkout).returncode == 0
    lock.write_text(wheel(wheels, "quotes", "2.0"))
    assert set_up(checkout).returncode == 0
    assert installed(checkout, "quotes") == "2.0"
    assert not (checkout / ".venv/lib/python3.12/site-packages/stray.py").exists()


def test_a_lane_has_its_own_environment(checkout: Path) -> None:
    (checkout / "requirements-3.3.1.lock").write_text(wheel(checkout.parent / "wheels", "quotes", "3.0"))
    assert set_up(checkout, lane="3.3.1").returncode == 0
    assert installed(checkout, "quotes", ".venv-3.3.1") == "3.0"
    assert not (checkout / ".venv").exists()


def test_a_checkout_that_was_moved_gets_a_new_environment(checkout: Path) -> None:
    (checkout / "requirements-3.2.1.lock").write_text(wheel(checkout.parent / "wheels", "quotes", "1.0"))
    set_up(checkout)
    moved = checkout.rename(checkout.parent / "moved")
    assert set_up(moved).returncode == 0
    assert str(moved) in (moved / ".venv/bin/activate").read_text()


def test_without_uv_pip_installs_the_locked_one(checkout: Path) -> None:
    (checkout.parent / "tools" / "uv").unlink()
    wheels = checkout.parent / "wheels"
    locked = wheel(wheels, "uv", "9.9", script=f'#!/bin/sh\nexec {UV} "$@"\n') + wheel(wheels, "quotes", "1.0")
    (checkout / "requirements-3.2.1.lock").write_text(locked)
    assert set_up(checkout).returncode == 0
    assert installed(checkout, "uv") == "9.9"
    assert installed(checkout, "quotes") == "1.0"


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        (f"quotes==1.0 --hash=sha256:{'0' * 64}\n", "Hash mismatch"),
        (f"absent==1.0 --hash=sha256:{'0' * 64}\n", "absent was not found"),
        ("quotes==1.0\n", "all requirements must have a hash"),
    ],
)
def test_what_is_not_the_locked_wheel_is_refused_in_one_line(checkout: Path, lock: str, message: str) -> None:
    wheel(checkout.parent / "wheels", "quotes", "1.0")
    (checkout / "requirements-3.2.1.lock").write_text(lock)
    result = set_up(checkout)
    assert result.returncode == 1
    assert message in result.stderr.splitlines()[-1]
    assert not (checkout / ".venv/lib/python3.12/site-packages/quotes.py").exists()


def test_a_package_that_must_be_compiled_is_refused(checkout: Path) -> None:
    source = checkout.parent / "wheels" / "quotes-1.0.tar.gz"
    source.write_bytes(b"a source archive")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    (checkout / "requirements-3.2.1.lock").write_text(f"quotes==1.0 --hash=sha256:{digest}\n")
    result = set_up(checkout)
    assert result.returncode == 1
    assert "quotes==1.0 has no usable wheels" in result.stderr
    assert "nothing is compiled" in result.stderr


def test_without_python_3_12_one_line_says_so(checkout: Path) -> None:
    shim = checkout.parent / "tools" / "python3.12"
    shim.unlink()
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.12: command not found' >&2; exit 127\n")
    shim.chmod(0o755)
    (checkout.parent / "tools" / "uv").unlink()
    result = set_up(checkout, path=f"{shim.parent}:{_without_python(checkout)}")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "set-up: Python 3.12 is needed and was not found: "
        "install python3.12 (or uv, which brings its own) and run again.\n"
    )


def test_an_unknown_lane_is_named_with_the_known_ones(checkout: Path) -> None:
    result = set_up(checkout, lane="2.10.5")
    assert result.returncode == 1
    assert result.stderr == "set-up: there is no lane 2.10.5: LANE is one of requirements-3.2.1.lock.\n"


def _without_python(checkout: Path) -> Path:
    """A folder of the ordinary commands that the script uses, and no Python."""
    folder = checkout.parent / "ordinary"
    folder.mkdir()
    for command in (
        "cat",
        "cksum",
        "cut",
        "dirname",
        "mkdir",
        "rm",
        "sed",
        "awk",
        "grep",
        "head",
        "tail",
        "tr",
        "printenv",
        "sh",
    ):
        found = shutil.which(command, path="/usr/bin:/bin")
        assert found, command
        (folder / command).symlink_to(found)
    return folder
