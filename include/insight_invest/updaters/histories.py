"""The sources that give a ticker's history in one request, which is what gaps are healed from."""

from collections.abc import Callable

from include.insight_invest.sources.base import PriceSource
from include.insight_invest.updaters.progress import Run

# In the order in which they are asked. KRX's and Nasdaq's listings are of one session.
HISTORIES = ("naver", "yahoo")


def other_histories(run: Run) -> list[PriceSource]:
    """The job's sources of histories beside its primary, but for those that have refused this run something."""
    from include.insight_invest.sources.naver import Naver
    from include.insight_invest.sources.yahoo import Yahoo

    made: dict[str, Callable[[], PriceSource]] = {
        "naver": lambda: Naver(run.settings, run.turns),
        "yahoo": lambda: Yahoo(run.settings, run.job.iso_code, run.turns),
    }
    return [made[name]() for name in HISTORIES if name in run.job.sources[1:] and name not in run.refusing]
