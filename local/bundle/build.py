"""Builds the bundle: the same commit and settings make the same bytes, on any machine."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from include.insight_invest.errors import UsageError
from local.bundle import archive, startup, tracked

LANES: Mapping[str, str] = {"3.2.1": "requirements.txt", "3.3.1": "requirements-3.3.1.txt"}
MANIFEST = "manifest.json"
_MADE = ("dags", "plugins.zip", "requirements.txt", "startup.sh", MANIFEST)


@dataclass(frozen=True)
class Bundle:
    """What was made: ``files`` {path below the folder: bytes}, ``entries`` in plugins.zip, what is not committed."""

    commit: str
    differences: list[str]
    files: dict[str, int]
    entries: int


def build(root: Path, target: Path, lane: str, settings: str = "") -> Bundle:
    """Make the bundle of the checkout ``root`` in ``target``, in place of the one there, leaving other files alone.

    ``settings`` are lines NAME=value for startup.sh. Raises UsageError; then ``target`` is as it was.
    """
    if lane not in LANES:
        raise UsageError(f"there is no lane {lane}: LANE is one of {', '.join(LANES)}; nothing was written")
    sources = ["dags", "plugins", "include", LANES[lane], "startup.sh"]
    commit, differences = tracked.commit(root), tracked.differences(root, sources)
    exported = startup.read_settings(settings)
    plugins = {path.removeprefix("plugins/"): (root / path) for path in tracked.files(root, ["plugins", "include"])}
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".bundle-") as name:
        part = Path(name)
        for path in tracked.files(root, ["dags"]):
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            (part / path).write_bytes((root / path).read_bytes())
        archive.write(part / "plugins.zip", {entry: path.read_bytes() for entry, path in plugins.items()})
        (part / "requirements.txt").write_bytes((root / LANES[lane]).read_bytes())
        script = (root / "startup.sh").read_text(encoding="utf-8")
        (part / "startup.sh").write_text(startup.fill(script, exported), encoding="utf-8")
        files = _described(part)
        manifest = {"airflow": lane, "commit": commit, "differences": differences, "files": files}
        (part / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        sizes = {path: file.stat().st_size for path, file in _files(part)}
        _replace(part, target)
    return Bundle(commit, differences, sizes, len(plugins))


def _described(folder: Path) -> dict[str, dict[str, int | str]]:
    """{path: its size and digest}."""
    return {
        path: {"bytes": file.stat().st_size, "sha256": sha256(file.read_bytes()).hexdigest()}
        for path, file in _files(folder)
    }


def _files(folder: Path) -> list[tuple[str, Path]]:
    found = [(file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if file.is_file()]
    return sorted(found)


def _replace(part: Path, target: Path) -> None:
    for name in _MADE:
        old, new = target / name, part / name
        if old.is_dir():
            shutil.rmtree(old)
        if new.exists():
            new.replace(old)
