"""Updating macro series: every vintage that FRED has and the store lacks.

The ledger is the memory: a series is asked for everything since the run that last asked for all of it, so that a day
without news costs one request and writes one ledger row.
"""

import logging
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from include.insight_invest.errors import NotFound, SourceError, Throttled, UniverseError
from include.insight_invest.sources.base import State, problem
from include.insight_invest.sources.fred import Description, Fred, Vintages, chicago_day
from include.insight_invest.store import universe
from include.insight_invest.store.load import Counts
from include.insight_invest.store.universe import Series
from include.insight_invest.store.vintages import Known, Status, known_series, load_vintages, set_status
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.updaters.resuming import left_to_ask, remember

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

# Asked for once more, at no cost: FRED may enter a release days after the day it dates it by, and corrects one within
# that day.
REREAD_DAYS = 7
# One without a vintage for longer than a quarter is asked for its description, a short answer that says whether there
# is news and whether it has ended; FRED's word for it is trusted for a month, then the observations are asked for.
QUIET_DAYS = 93
TRUSTED_DAYS = 30


def update_macro(run: Run) -> None:
    """Every series of tb_macro, one after another; one that fails does not stop the next, a 429 stops them all."""
    wanted, known = _wanted(run)
    fred = Fred(run.settings, turns=run.turns)
    run.used(fred.name)
    throttled = False
    for done, series in enumerate(wanted, start=1):
        before = fred.requests
        try:
            if throttled:
                raise Throttled("not asked: FRED asked to slow down earlier in this run")
            run.outcomes[series.fred] = _update(run, fred, series, known[series.macro_id])
        except NotFound as error:
            run.outcomes[series.fred] = _unknown(run, series, known[series.macro_id], error)
        except SourceError as error:
            throttled = throttled or isinstance(error, Throttled)
            run.outcomes[series.fred] = problem(error)
            log.warning("%s: %s", series.fred, error)
        finally:
            run.counts.requests += fred.requests - before
        run.progress(done, len(wanted))
        remember(run, len(wanted) - done)
    if run.outcomes.keys() - run.told:
        run.require_an_answer("series was answered")


@repeatable
def _wanted(run: Run) -> tuple[list[Series], dict[int, Known]]:
    """The series that are asked for, and what is known of each by its macro_id."""
    wanted = universe.series(run.connection, run.options.tickers, run.options.shard)
    _require(run, wanted)
    wanted = left_to_ask(run, wanted, lambda series: series.fred)
    return wanted, known_series(run.connection, run.job.name)


def _update(run: Run, fred: Fred, series: Series, known: Known) -> tuple[State, str | None]:
    said = fred.describe(series.fred, run.context.as_of) if _was_quiet(run, known) else None
    if said and known.asked and said.updated and said.updated <= known.asked:
        _judge(run, series, known, said)
        return State.UNCHANGED, f"FRED has not updated it since {chicago_day(said.updated)}"
    since = _since(run, known)
    total, newest = _load(run, fred, series, known, since)
    if known.asked is None and _quiet(run, newest):  # a first run tells what the second would
        _judge(run, series, replace(known, newest=newest), fred.describe(series.fred, run.context.as_of))
    elif total.new or total.changed or known.status == Status.UNKNOWN:
        _mark(run, series, known, Status.LIVE, f"it was {known.status}, and FRED has it again")
    elif said:
        _judge(run, series, known, said)
    if total.new or total.changed:
        return State.UPDATED, None
    if total.unchanged or since is not None:
        return State.UNCHANGED, None
    return State.EMPTY, "FRED has no observation of it"


def _load(run: Run, fred: Fred, series: Series, known: Known, since: date | None) -> tuple[Counts, date | None]:
    """Ask for all since ``since`` and load each answer in a transaction of its own; with the newest realtime_start."""
    asked = None if known.asked is None else chicago_day(known.asked)
    total, newest = Counts(), known.newest
    for answer in fred.vintages(series.fred, since, run.context.as_of):
        total.add(_land(run, answer, series.macro_id, asked))
        if not answer.rows.empty:
            newest = answer.rows["realtime_start"].max().date()
    return total, newest


@repeatable
def _land(run: Run, answer: Vintages, macro_id: int, asked: date | None) -> Counts:
    with run.batch():
        counts = load_vintages(
            run.connection,
            # a first load is whole: what came later would be dated as if it had become known later
            answer.rows if asked is None else _within(run, answer.rows),
            run.context,
            macro_id=macro_id,
            source=Fred.name,
            until=answer.end,
            known_until=asked,
        )
        run.account(counts)
    return counts


def _since(run: Run, known: Known) -> date | None:
    """The first day that is asked for; None: all there ever was."""
    if run.options.full_refresh:
        return None
    if known.asked is None:
        return known.newest  # where a first load was interrupted, what it stored is whole up to there
    return chicago_day(known.asked) - timedelta(days=REREAD_DAYS)


def _was_quiet(run: Run, known: Known) -> bool:
    """Whether a series is asked for its description, or for its observations at once."""
    if run.options.full_refresh or known.asked is None:
        return False
    return timedelta(0) <= run.context.as_of - known.asked <= timedelta(days=TRUSTED_DAYS) and _quiet(run, known.newest)


def _quiet(run: Run, newest: date | None) -> bool:
    return newest is not None and (chicago_day(run.context.as_of) - newest).days > QUIET_DAYS


def _judge(run: Run, series: Series, known: Known, said: Description) -> None:
    """A quiet series without news has come to its end, or has not."""
    assert known.newest is not None  # noqa: S101 (a quiet series has been heard before)
    if reason := said.ended(known.newest, chicago_day(run.context.as_of)):
        _mark(run, series, known, Status.DISCONTINUED, f"it is discontinued: {reason}")
    elif known.status == Status.DISCONTINUED:
        _mark(run, series, known, Status.LIVE, "FRED no longer says that it is discontinued")


def _unknown(run: Run, series: Series, known: Known, error: NotFound) -> tuple[State, str | None]:
    """Report it in the run that finds it; a later run tells only who asks for it by name."""
    if known.status == Status.UNKNOWN and known.status_since is not None:
        if not run.options.tickers:
            run.told.add(series.fred)
        return State.EMPTY, f"{error}, since {chicago_day(known.status_since)}"
    log.info("%s: %s", series.fred, error)
    _mark(run, series, known, Status.UNKNOWN)
    return problem(error)


@repeatable
def _mark(run: Run, series: Series, known: Known, status: Status, note: str | None = None) -> None:
    """Remember and tell what a series has become. A run of the past does not judge what a later one found."""
    later = max((moment for moment in (known.asked, known.status_since) if moment is not None), default=None)
    if known.status == status or (later is not None and run.context.as_of < later):
        return
    with run.batch():
        set_status(run.connection, series.macro_id, status, run.context.as_of)
    if note:
        run.notes.append(f"{series.fred}: {note}")


def _within(run: Run, rows: "pd.DataFrame") -> "pd.DataFrame":
    """The ``rows`` whose base_date lies in --start and --end."""
    start, end = run.options.start or date(1600, 1, 1), run.options.end or date(9999, 12, 31)
    day = rows["base_date"].dt.date
    inside: pd.DataFrame = rows[(day >= start) & (day <= end)]
    return inside


def _require(run: Run, wanted: list[Series]) -> None:
    if not wanted and run.options.shard == (1, 1):
        raise UniverseError("tb_macro names no series: run `db upgrade`, which brings the starter list")
