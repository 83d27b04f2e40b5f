"""Bodies that the sources themselves sent once, as bases to damage; none where the recordings are not there."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

from tests.replay import fred
from tests.replay.data import Library
from tests.replay.faults import Source
from tests.replay.messages import Request

ROWS = 60  # of a body; a whole market in each would only take time


def recorded_bodies(folder: Path, source: Source) -> dict[str, bytes]:
    """{name: body} of ``source`` from ``folder``, cut to ROWS rows; charts are whole."""
    if not folder.is_dir():
        return {}
    match source:
        case Source.YAHOO:
            files = sorted((folder / "yahoo_chart").glob("*.json"))
            bodies = {file.name: json.loads(file.read_bytes())["body"] for file in files}
            return {name: json.dumps(body).encode() for name, body in bodies.items() if isinstance(body, dict)}
        case Source.NAVER:
            return {file.name: _cut(file.read_bytes(), 2) for file in sorted((folder / "naver").glob("*.xml"))}
        case Source.KRX:
            return {
                file.name: _cut(file.read_bytes(), 0) for file in sorted((folder / "krx_listing").glob("krx-*.csv"))
            }
        case Source.LISTING:
            files = sorted((folder / "us_listing").glob("*.json.gz"))
            return {f.name: json.dumps(json.loads(gzip.decompress(f.read_bytes()))[:ROWS]).encode() for f in files}
        case _:
            window = {
                "series_id": "GDP",
                "api_key": "0" * 32,
                "realtime_start": "2014-01-01",
                "realtime_end": "2014-12-31",
            }
            request = Request("GET", "api.stlouisfed.org", "/fred/series/observations", window, "")
            now = datetime(2026, 1, 9, tzinfo=UTC)
            return {"GDP": _cut(fred.respond(Library([folder]), now, request).body, 1)}


def _cut(body: bytes, end: int) -> bytes:
    """The first ROWS lines and the last ``end``."""
    lines = body.splitlines(keepends=True)
    return b"".join([*lines[:ROWS], *lines[max(ROWS, len(lines) - end) :]])
