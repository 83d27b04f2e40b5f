"""The lake's table of contents: which file is of what. Written last; while files are replaced, it says which."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from include.insight_invest.lake.place import Place

PATH = "manifest.json"
FORMAT = 1  # of files and manifest: another one writes everything anew


@dataclass(frozen=True)
class Entry:
    """A file: its rows and bytes, and the fingerprint of the rows."""

    rows: int
    bytes: int
    fingerprint: str


@dataclass(frozen=True)
class Manifest:
    """``files`` are as they should be; of those in ``writing`` nobody knows, until an export has finished."""

    files: Mapping[str, Entry] = field(default_factory=dict)
    writing: tuple[str, ...] = ()

    def text(self) -> str:
        """The same for the same lake: no instant, no run."""
        files = {path: asdict(entry) for path, entry in sorted(self.files.items())}
        document = {"format": FORMAT, "writing": sorted(self.writing), "files": files}
        return json.dumps(document, indent=1) + "\n"


def load(place: Place, sizes: Mapping[str, int]) -> Manifest:
    """The manifest of the last export; an empty one where there is none, or of another format."""
    if PATH not in sizes:
        return Manifest()
    document = json.loads(place.read(PATH))
    if document.get("format") != FORMAT:
        return Manifest()
    files = {path: Entry(**entry) for path, entry in document["files"].items()}
    return Manifest(files, tuple(document["writing"]))


def store(place: Place, manifest: Manifest) -> None:
    """Replace the manifest."""
    text = manifest.text().encode()
    place.put(PATH, lambda stream: stream.write(text))
