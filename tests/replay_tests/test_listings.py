"""The US listing files: recorded ones as they are, the demonstration's with the prices of the day."""

import json
from datetime import datetime
from pathlib import Path

import pytest
import requests

from tests.folders import write_chart
from tests.replay import Replay

URL = "https://raw.githubusercontent.com/rreichel3/US-Stock-Symbols/main/nasdaq/nasdaq_full_tickers.json"
OPEN = {"symbol": "ACME", "lastsale": "", "netchange": "", "volume": ""}
QUOTED = {"symbol": "ACME", "lastsale": "$1.00", "netchange": "0.10", "volume": "5"}


def served(replay: Replay, folder: Path, now: str, *rows: dict[str, str]) -> list[dict[str, str]]:
    """What a request for NASDAQ's listing gets at ``now`` where the file has ``rows``."""
    file = folder / "us_listing" / "nasdaq_full_tickers.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(rows))
    replay.load(folder)
    replay.move_clock(datetime.fromisoformat(now))
    with requests.get(URL, timeout=5) as response:
        found: list[dict[str, str]] = response.json()
    return found


@pytest.mark.parametrize(
    ("now", "lastsale", "netchange", "volume"),
    [
        ("2026-01-07T20:59+00:00", "$11.0000", "0.7500", "8000"),  # Wednesday is not over: Tuesday's, in halves
        ("2026-01-07T21:00+00:00", "$11.5000", "0.5000", "3000"),
    ],
)
def test_what_a_row_leaves_open_is_what_yahoo_has(
    replay: Replay, tmp_path: Path, now: str, lastsale: str, netchange: str, volume: str
) -> None:
    days = {"2026-01-05": (10.0, 10.5, 9.75, 10.25, 4000), "2026-01-06": (10.25, 11.0, 10.0, 11.0, 8000)}
    write_chart(tmp_path, "ACME", days | {"2026-01-07": (11.0, 12.0, 10.75, 11.5, 3000)})
    assert served(replay, tmp_path, now, OPEN) == [
        {"symbol": "ACME", "lastsale": lastsale, "netchange": netchange, "volume": volume}
    ]


def test_a_row_with_prices_and_one_that_yahoo_does_not_know_stay(replay: Replay, tmp_path: Path) -> None:
    assert served(replay, tmp_path, "2026-01-08T12:00+00:00", QUOTED, OPEN) == [QUOTED, OPEN]
