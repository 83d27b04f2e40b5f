"""A zip file whose bytes depend on its contents alone."""

import stat
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the first instant that a zip file knows
_UNIX = 3
_MODE = (stat.S_IFREG | 0o644) << 16


def write(file: Path, entries: Mapping[str, bytes]) -> None:
    """Write ``entries`` {name: contents} to ``file``: sorted, of one time and mode.

    Stored, not compressed: what a zlib makes of the same input differs between its versions.
    """
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for name in sorted(entries):
            entry = ZipInfo(name, _BEGINNING)
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            archive.writestr(entry, entries[name])
