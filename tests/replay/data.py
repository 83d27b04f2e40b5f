"""The data folders: which files there are, read once and again when they change."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

_KEPT = 4096  # parsed files and what is derived from them; a market of 500 tickers needs about 2,000


class Library:
    """Files of one or more folders laid out alike. Safe to share between threads."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()

    def files(self, subfolder: str) -> tuple[Path, ...]:
        """The files of ``subfolder`` in every folder, by folder and name."""
        found: list[Path] = []
        for folder in self.folders:
            place = folder / subfolder
            if place.is_dir():
                found += self.once(("files", place, place.stat().st_mtime_ns), partial(_listing, place))
        return tuple(found)

    def read[T](self, path: Path, parse: Callable[[Path], T]) -> T:
        """``parse(path)``, again only when the file has changed."""
        return self.once((parse, _version(path)), lambda: parse(path))

    def derive[T](self, name: Hashable, paths: Sequence[Path], build: Callable[[], T]) -> T:
        """``build()``, again only when one of ``paths`` has changed."""
        return self.once((name, *map(_version, paths)), build)

    def once[T](self, key: Hashable, build: Callable[[], T]) -> T:
        """``build()`` the first time ``key`` is seen; two threads may build it at once, and one of them wins."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast(T, self._kept[key])
        value = build()
        with self._lock:
            self._kept[key] = value
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return value


def _listing(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_file())


def _version(path: Path) -> tuple[Path, int, int]:
    status = path.stat()
    return path, status.st_mtime_ns, status.st_size
