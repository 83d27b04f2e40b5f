"""A folder or a bucket, with files that are whole or not there: each is written beside its name and then renamed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from include.insight_invest.errors import ConfigurationError, LakeError

# Outside of every dataset's folder: no reader's pattern finds a file that is being written.
_UNFINISHED = "_unfinished"


class Place:
    """Where the lake is; paths are relative to it. What it refuses is raised as LakeError."""

    def __init__(self, url: str) -> None:
        """``url``: s3://bucket/prefix, file:///folder or a folder. Raises ConfigurationError."""
        from pyarrow import fs

        parts = urlsplit(url)
        if parts.scheme not in ("", "file", "s3"):
            raise ConfigurationError(
                f"INSIGHT_LAKE_URL is of type {parts.scheme}: it must be s3://bucket/prefix, file:///folder or a folder"
            )
        if parts.username or parts.password:
            raise ConfigurationError(
                "INSIGHT_LAKE_URL holds a login: take it out, and give the task a role (or AWS_ACCESS_KEY_ID) instead"
            )
        with _told("open"):
            address = url if parts.scheme else str(Path(url).expanduser().absolute())
            self._files, self._root = fs.FileSystem.from_uri(address)
        self._is_local = isinstance(self._files, fs.LocalFileSystem)

    def sizes(self) -> dict[str, int]:
        """The size of every whole file."""
        from pyarrow import fs

        with _told("list"):
            found = self._files.get_file_info(fs.FileSelector(self._root, allow_not_found=True, recursive=True))
        files = {str(one.path)[len(self._root) :].strip("/"): int(one.size) for one in found if one.is_file}
        return {path: size for path, size in files.items() if not path.startswith(f"{_UNFINISHED}/")}

    def read(self, path: str) -> bytes:
        """What the file holds."""
        with _told(f"read {path} in"), self._files.open_input_stream(self._at(path)) as stream:
            return bytes(stream.read())

    def put(self, path: str, write: Callable[[Any], None]) -> int:
        """Let ``write`` fill a stream, and give that the name ``path`` in one step; its size. A kill leaves no part."""
        unfinished, whole = self._at(f"{_UNFINISHED}/{path.replace('/', '~')}"), self._at(path)
        with _told(f"write {path} into"):
            self._make_folder_of(unfinished)
            with self._files.open_output_stream(unfinished) as stream:
                write(stream)
            self._make_folder_of(whole)
            self._files.move(unfinished, whole)
            return int(self._files.get_file_info(whole).size)

    def remove(self, path: str) -> None:
        """Delete the file."""
        with _told(f"delete {path} from"):
            self._files.delete_file(self._at(path))

    def tidy(self) -> None:
        """Throw away what an export that was killed had not finished."""
        from pyarrow import fs

        with _told("tidy"):
            if self._files.get_file_info(self._at(_UNFINISHED)).type is not fs.FileType.NotFound:
                self._files.delete_dir(self._at(_UNFINISHED))

    def _at(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}"

    def _make_folder_of(self, path: str) -> None:
        if self._is_local:  # a bucket has none
            self._files.create_dir(path.rpartition("/")[0], recursive=True)


@contextmanager
def _told(what: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise LakeError(
            f"cannot {what} the lake (INSIGHT_LAKE_URL): {error}. Its whole files stay as they were; mend it, and "
            "export again: that does what is left"
        ) from error
