"""US bars and actions: from Yahoo, and on a day on which Yahoo is down the close of the day from Nasdaq's listings."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from include.insight_invest import sessions
from include.insight_invest.errors import SourceError, SourceUnavailable
from include.insight_invest.sources.base import State, Wanted
from include.insight_invest.sources.nasdaq import Nasdaq
from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.store import recent
from include.insight_invest.updaters.landing import land_all, targets_of, wanted_of
from include.insight_invest.updaters.progress import Run
from include.insight_invest.updaters.resuming import is_backfill

log = logging.getLogger(__name__)

# The listings are held against this many sessions before the wanted one: the last of them must be the best fit.
PROVING_SESSIONS = 7
_NOT_SERVED = (State.FAILED, State.THROTTLED)


def update_us(run: Run) -> None:
    """The last sessions of every ticker again, a new ticker's whole history.

    Of the tickers that Yahoo failed to serve, not of those of which it has nothing, the listings give the close of the
    last session, marked as theirs; the next run that reaches Yahoo replaces it. A range or a whole history they have
    not: it fails with Yahoo.
    """
    wanted = wanted_of(run, targets_of(run))
    try:
        land_all(run, Yahoo(run.settings, run.job.iso_code).prices(wanted[: run.requests_left]), len(wanted))
    except SourceUnavailable as down:
        left = _left(run, wanted, str(down))
        if not (left and _stand_in(run, left)):
            raise
    else:
        left = _left(run, wanted, "Yahoo did not answer")
        if left:
            _stand_in(run, left)


def nasdaq_of(run: Run) -> Nasdaq:
    """The listings, with what is stored of the sessions before ``run.end`` to prove theirs by."""
    eve = sessions.back(run.job.exchange, run.end, 1)
    start = sessions.back(run.job.exchange, run.end, PROVING_SESSIONS)
    return Nasdaq(run.settings, recent.closes(run.connection, run.job.iso_code, start, run.end), eve)


def _left(run: Run, wanted: Sequence[Wanted], reason: str) -> list[Wanted]:
    """Those that Yahoo did not serve; of those that it was not asked for any more, ``reason`` is why."""
    for one in wanted:
        run.outcomes.setdefault(one.target.ticker, (State.FAILED, reason))
    return [one for one in wanted if run.outcomes[one.target.ticker][0] in _NOT_SERVED]


def _stand_in(run: Run, left: Sequence[Wanted]) -> bool:
    """Land what the listings have of those that are ``left``; whether they had anything."""
    if is_backfill(run):
        return False
    nasdaq = nasdaq_of(run)
    try:
        (answer,) = nasdaq.prices(left)
    except SourceError as error:
        run.notes.append(f"Yahoo did not serve {len(left)} tickers, and the listings are of no use ({error})")
        log.warning("%s", run.notes[-1])
        return False
    finally:
        run.counts.requests += nasdaq.requests
    # What they do not have keeps Yahoo's reason.
    served = [target for target in answer.asked if target.ticker not in answer.problems]
    run.notes.append(
        f"Yahoo did not serve {len(left)} tickers; {len(served)} have the close of {run.end} from Nasdaq's listings, "
        "until it does"
    )
    log.warning("%s", run.notes[-1])
    if not served:
        return False
    # One session is no history, and says nothing of those before it.
    run.whole -= {target.meta_id for target in served}
    run.since |= {target.meta_id: run.end for target in served}
    land_all(run, iter([replace(answer, asked=served, problems={}, requests=0)]), len(served))
    return True
