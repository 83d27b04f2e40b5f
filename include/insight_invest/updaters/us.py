"""US bars and actions, from Yahoo."""

from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.updaters.landing import land_all, targets_of, wanted_of
from include.insight_invest.updaters.progress import Run


def update_us(run: Run) -> None:
    """The last sessions of every ticker again, a new ticker's whole history."""
    wanted = wanted_of(run, targets_of(run))
    land_all(run, Yahoo(run.settings, run.job.iso_code).prices(wanted), len(wanted))
