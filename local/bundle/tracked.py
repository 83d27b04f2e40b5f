"""What git says of the checkout: the bundle holds tracked files only, whatever else lies about."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from include.insight_invest.errors import UsageError


def files(root: Path, folders: Sequence[str]) -> list[str]:
    """The tracked files in ``folders``, as paths from ``root``, sorted; less those that were deleted."""
    listed = _git(root, "ls-files", "-z", "--", *folders).split("\0")
    return sorted(path for path in set(listed) if path and (root / path).is_file())


def commit(root: Path) -> str:
    """The checkout's commit."""
    return _git(root, "rev-parse", "HEAD").strip()


def differences(root: Path, paths: Sequence[str]) -> list[str]:
    """What is not as committed in ``paths``: (git's two letters, path); untracked files, too."""
    lines = _git(root, "status", "--porcelain", "--untracked-files=all", "--no-renames", "-z", "--", *paths)
    return sorted(line for line in lines.split("\0") if line)


def _git(root: Path, *arguments: str) -> str:
    try:
        result = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UsageError("git is not installed, and the bundle is made of what git tracks: install it") from None
    if result.returncode:
        raise UsageError(
            f"git {arguments[0]} failed: {result.stderr.strip()}. The bundle is made of what git tracks, "
            "so it needs a clone of the repository; nothing was written"
        )
    return result.stdout
