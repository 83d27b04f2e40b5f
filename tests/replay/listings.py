"""The US listing files: raw.githubusercontent.com/rreichel3/US-Stock-Symbols."""

import gzip
import json
import re
from datetime import date, datetime

from tests.replay import yahoo
from tests.replay.bars import NEW_YORK
from tests.replay.data import Library
from tests.replay.messages import TEXT, Answer, Request

REPOSITORY = "/rreichel3/US-Stock-Symbols/"
_ASKED = re.compile(r".*/(nasdaq|nyse|amex)/\1_full_tickers\.json")


def respond(library: Library, now: datetime, request: Request) -> Answer:
    """The newest listing of one exchange that was there at ``now``; 404 where there was none."""
    asked = _ASKED.fullmatch(request.path)
    name = re.compile(rf"{asked[1]}_full_tickers(?:-(\d{{4}}-\d{{2}}-\d{{2}}))?\.json(?:\.gz)?") if asked else None
    found = {}
    for path in library.files("us_listing"):
        match = name.fullmatch(path.name) if name else None
        day = date.fromisoformat(match[1]) if match and match[1] else date.min
        if match and day <= NEW_YORK.day(now.timestamp()):
            found[day] = path
    if not found:
        return Answer.text("404: Not Found", TEXT, 404)
    path = found[max(found)]
    body = path.read_bytes()
    return Answer(_priced(gzip.decompress(body) if path.suffix == ".gz" else body, library, now), TEXT)


def _priced(body: bytes, library: Library, now: datetime) -> bytes:
    """``body``; rows that leave their prices open (the demonstration's) are given those of Yahoo's charts."""
    if b'"lastsale": ""' not in body:
        return body
    rows = json.loads(body)
    for row in rows:
        if row["lastsale"] == "" and (known := yahoo.last_session(library, row["symbol"], now)):
            close, before, volume = known
            row |= {"lastsale": f"${close:.4f}", "netchange": f"{close - before:.4f}", "volume": str(volume)}
    return json.dumps(rows).encode()
