"""Updating macro series: every vintage that FRED has and the store lacks."""

import logging
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest.errors import NotFound, SourceError, Throttled, UniverseError, UsageError
from include.insight_invest.sources.base import State, problem
from include.insight_invest.sources.fred import Fred
from include.insight_invest.store import universe
from include.insight_invest.store.load import Counts
from include.insight_invest.store.universe import Series
from include.insight_invest.store.vintages import last_vintage, load_vintages
from include.insight_invest.updaters.progress import Run

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


def update_macro(run: Run) -> None:
    """Every series of tb_macro, one after another; one that fails does not stop the next, a 429 stops them all."""
    wanted = universe.series(run.connection, run.options.tickers, run.options.shard)
    _require(run, wanted)
    fred = Fred(run.settings)
    run.used(fred.name)
    throttled = False
    for done, series in enumerate(wanted, start=1):
        before = fred.requests
        try:
            if throttled:
                raise Throttled("not asked: FRED asked to slow down earlier in this run")
            changed = _update(run, fred, series)
            run.outcomes[series.fred] = changed
        except SourceError as error:
            throttled = throttled or isinstance(error, Throttled)
            run.outcomes[series.fred] = problem(error)
            log.log(logging.INFO if isinstance(error, NotFound) else logging.WARNING, "%s: %s", series.fred, error)
        finally:
            run.counts.requests += fred.requests - before
        run.progress(done, len(wanted))
    run.require_an_answer("series was answered")


def _update(run: Run, fred: Fred, series: Series) -> tuple[State, str | None]:
    since = None if run.options.full_refresh else last_vintage(run.connection, series.macro_id)
    total = Counts()
    for chunk in fred.vintages(series.fred, since, run.context.as_of):
        with run.batch():
            counts = load_vintages(
                run.connection,
                # a first load is whole: what came later would be dated as if it had become known later
                chunk if since is None else _within(run, chunk),
                run.context,
                macro_id=series.macro_id,
                source=fred.name,
            )
            run.account(counts)
        total.add(counts)
    if total.new:
        return State.UPDATED, None
    if total.unchanged or since is not None:
        return State.UNCHANGED, None
    return State.EMPTY, "FRED has no observation of it"


def _within(run: Run, chunk: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of ``chunk`` whose base_date lies in --start and --end."""
    start, end = run.options.start or date(1600, 1, 1), run.options.end or date(9999, 12, 31)
    day = chunk["base_date"].dt.date
    inside: pd.DataFrame = chunk[(day >= start) & (day <= end)]
    return inside


def _require(run: Run, wanted: list[Series]) -> None:
    unknown = sorted(set(run.options.tickers) - {series.fred for series in wanted})
    if unknown and run.options.shard == (1, 1):
        raise UsageError(f"not in tb_macro: {', '.join(unknown)}")
    if not wanted and run.options.shard == (1, 1):
        raise UniverseError("tb_macro names no series: run `db upgrade`, which brings the starter list")
