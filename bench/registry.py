"""What is measured, by name, in the order in which it is run. Each case returns its figures as JSON."""

from collections.abc import Callable, Mapping
from typing import Any

from bench.cases.first_load import first_load
from bench.cases.job import job
from bench.cases.market import daily, lookback, reads, watermark
from bench.cases.updater import updater
from bench.race import Bench

CASES: Mapping[str, Callable[[Bench], dict[str, Any]]] = {
    "first_load": first_load,
    "daily": daily,
    "lookback": lookback,
    "watermark": watermark,
    "reads": reads,
    "job": job,
    "updater": updater,
}
