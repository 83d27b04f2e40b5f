"""Writes the macro series' files as FRED's JSON endpoints answer, and the list of them to register."""

import csv
import json
from pathlib import Path
from typing import Any, Final

from local.demo_data.macro import ADJUSTED, SAAR, SERIES, UNADJUSTED, Frequency, Release, Series, releases

FIRST_REALTIME: Final = "1776-07-04"  # FRED's earliest and latest real-time dates
LAST_REALTIME: Final = "9999-12-31"
FREQUENCY_NAMES: Final = {Frequency.DAILY: "Daily", Frequency.MONTHLY: "Monthly", Frequency.QUARTERLY: "Quarterly"}
ADJUSTMENT_SHORT: Final = {SAAR: "SAAR", ADJUSTED: "SA", UNADJUSTED: "NSA"}


def write(folder: Path, redate: bool) -> None:
    """Writes ``fred`` and ``macro_series.csv`` (fred, description) into ``folder``."""
    (folder / "fred").mkdir()
    for series in SERIES:
        history = releases(series, redate)
        for kind, document in (("all_releases", _all_releases(history)), ("info", _info(series, history, redate))):
            path = folder / "fred" / f"{series.id}.{kind}.json"
            path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    with (folder / "macro_series.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("fred", "description"))
        rows.writerows((series.id, series.title) for series in SERIES)


def _all_releases(history: list[Release]) -> dict[str, Any]:
    return {
        "realtime_start": FIRST_REALTIME,
        "realtime_end": LAST_REALTIME,
        "observation_start": "1600-01-01",
        "observation_end": "9999-12-31",
        "units": "lin",
        "output_type": 1,
        "file_type": "json",
        "order_by": "observation_date",
        "sort_order": "asc",
        "count": len(history),
        "offset": 0,
        "limit": 100_000,
        "observations": [
            {
                "realtime_start": release.released.isoformat(),
                "realtime_end": LAST_REALTIME,
                "date": release.period.isoformat(),
                "value": release.value,
            }
            for release in history
        ],
    }


def _info(series: Series, history: list[Release], redate: bool) -> dict[str, Any]:
    last = history[-1].released.isoformat()
    moved = "Re-dated for the demonstration. " if redate else ""
    return {
        "realtime_start": last,
        "realtime_end": last,
        "seriess": [
            {
                "id": series.id,
                "realtime_start": last,
                "realtime_end": last,
                "title": series.title,
                "observation_start": history[0].period.isoformat(),
                "observation_end": history[-1].period.isoformat(),
                "frequency": FREQUENCY_NAMES[series.frequency],
                "frequency_short": series.frequency.value,
                "units": series.units,
                "units_short": series.units,
                "seasonal_adjustment": series.adjustment,
                "seasonal_adjustment_short": ADJUSTMENT_SHORT[series.adjustment],
                "last_updated": f"{last} 08:00:00-06",
                "popularity": 0,
                "notes": f"{moved}Real values from {series.source}.",
            }
        ],
    }
