"""KRX itself, which tells its last working day and refuses everything else, and the public cache of its listings."""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from tests.replay import korea
from tests.replay.bars import SEOUL
from tests.replay.dailies import last_weekday
from tests.replay.data import Library
from tests.replay.messages import HTML, JSON, TEXT, Answer, Request

CACHE = "/FinanceData/fdr_krx_data_cache/"
_LISTING = re.compile(r".*/data/listing/(krx|desc|delisting)/(\d{4}-\d{2}-\d{2})\.csv")
_INDEX = re.compile(r".*/data/index/year_(\w+)/(\d{4})\.csv")
# When the recorded versions of 2026-03-19 were committed to the cache, Seoul time: before the first trade, just after
# the close, and the version that stayed. Two more (3c39e37, 6ee70f9) lie between at times that nobody noted.
_COMMITTED = {"47069f0": time(9, 15), "17bda1a": time(15, 41), "fc016eb": time(16, 54)}
_STABLE = _COMMITTED["fc016eb"]


def respond(library: Library, now: datetime, request: Request) -> Answer:
    """Answer data.krx.co.kr: an anonymous client learns the newest date, and is logged out of everything else."""
    if request.path.endswith("/executeForResourceBundle.cmd") and request.query.get("key") == "B128.bld":
        newest = max(_published(library, now), default=last_weekday(now.astimezone(SEOUL.zone).date() - timedelta(1)))
        answer = {"result": {"output": [{"max_work_dt": f"{newest:%Y%m%d}"}]}}
        return Answer.text(json.dumps(answer), JSON)
    if request.path.endswith("/getJsonData.cmd"):
        return Answer.text("LOGOUT", HTML, 400)
    return Answer.text("Not Found", TEXT, 404)


def respond_cache(library: Library, now: datetime, request: Request) -> Answer:
    """Answer raw.githubusercontent.com/FinanceData/fdr_krx_data_cache: the files' own bytes, or 404."""
    found: bytes | None = None
    if listing := _LISTING.fullmatch(request.path):
        found = _listing(library, now, listing[1], date.fromisoformat(listing[2]))
    elif index := _INDEX.fullmatch(request.path):
        found = _index(library, now, f"{index[1]}-{index[2]}.csv")
    return Answer.text("404: Not Found", TEXT, 404) if found is None else Answer(found, TEXT)


def _published(library: Library, now: datetime) -> dict[date, Path]:
    """Each day's snapshot as it is at ``now``: an intraday version where there is one, else the day's last."""
    versions: dict[str, Path] = {path.name: path for path in library.files("krx_listing")}
    found: dict[date, Path] = {}
    for day, path in korea.snapshot_files(library).items():
        if _instant(day, _STABLE) <= now:
            found[day] = path
            continue
        for commit, at in _COMMITTED.items():  # earliest first
            version = versions.get(f"krx-{day}@{commit}.csv")
            if version is not None and _instant(day, at) <= now:
                found[day] = version
    return found


def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, SEOUL.zone).astimezone(UTC)


def _listing(library: Library, now: datetime, kind: str, day: date) -> bytes | None:
    if kind == "krx":
        path = _published(library, now).get(day)
        return None if path is None else path.read_bytes()
    files = {path.name: path for path in library.files("krx_listing")}
    path = files.get(f"{kind}-{day}.csv")
    return path.read_bytes() if path is not None and _instant(day, _STABLE) <= now else None


def _index(library: Library, now: datetime, name: str) -> bytes | None:
    """A year of an index, without the days that are not over: the first column is the date."""
    path = {path.name: path for path in library.files("krx_listing")}.get(name)
    if path is None:
        return None
    head, *lines = path.read_bytes().splitlines(keepends=True)
    over = [line for line in lines if _instant(date.fromisoformat(line[:10].decode()), _STABLE) <= now]
    return head + b"".join(over)
