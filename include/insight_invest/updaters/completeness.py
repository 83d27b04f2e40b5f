"""Completeness, after the updater: closures decided, gaps found, asked for elsewhere, and given up with a reason.

For every expected pair of ticker and session there is a bar, a recorded reason, or an open gap; ``audit`` proves it.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from include.insight_invest import sessions
from include.insight_invest.errors import SourceError
from include.insight_invest.sources.base import Wanted, Window
from include.insight_invest.sources.nasdaq import Nasdaq
from include.insight_invest.store import coverage
from include.insight_invest.store.universe import Target, targets
from include.insight_invest.updaters.closures import decide_closures
from include.insight_invest.updaters.expected import expected_sessions, last_sessions
from include.insight_invest.updaters.histories import HISTORIES, other_histories
from include.insight_invest.updaters.landing import land_more
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.updaters.us import land_listed
from include.insight_invest.wording import count

log = logging.getLogger(__name__)

# Tickers a run asks each further source for: at two requests a second under a minute of the 30 that it has.
HEALED_TICKERS = 50


def settle(run: Run) -> None:
    """Decide closures, record what is missing and ask for it; after a range or some tickers, only record."""
    known = _followed(run)
    if is_whole(run):
        decide_closures(run, known)
    looked = run.again(lambda: coverage.settled(run.connection, run.job.name))
    this = [run.session] if is_whole(run) else []
    if not known or not (looked or this):
        return  # nobody has asked for the whole market yet: nothing is expected
    until = max([one.until for one in looked] + this)
    work = _Gaps(run, known, until)
    work.record(since=min([one.since for one in looked] + this), whole_until=_whole_until(run, looked))
    if is_whole(run):
        work.heal()
    work.tell()


@repeatable
def _followed(run: Run) -> list[Target]:
    return targets(run.connection, run.job.iso_code, run.options.tickers, run.options.shard, session=sessions.FIRST_DAY)


def _whole_until(run: Run, looked: Sequence[coverage.Settled]) -> date | None:
    """The session up to which nothing can be missing without a row that says so: all of it was counted, and what came
    since is looked at. None where all is to be counted: once a week it is, for days that an operator opened again, and
    for rows that somebody deleted.
    """
    if not is_whole(run) or run.options.full_refresh or not looked:
        return None
    before = min(one.until for one in looked)
    if before.isocalendar()[:2] != run.session.isocalendar()[:2]:
        return None
    return min(before, last_sessions(run, run.settings.lookback_sessions)[0])


def is_whole(run: Run) -> bool:
    """Whether the run is for the market, and not for some tickers or a range."""
    options = run.options
    return not options.tickers and options.start is None and options.end is None


class _Gaps:
    """The gaps of the tickers that a run is for."""

    def __init__(self, run: Run, known: Sequence[Target], until: date) -> None:
        self._run = run
        self._until = until
        self._by_id = {target.meta_id: target for target in known}
        self._ids = list(self._by_id)
        self._expected = run.again(lambda: expected_sessions(run.connection, run.job.exchange, until))
        self._counts = Counter(found=0, healed=0)  # in the order in which they are told

    def record(self, *, since: date, whole_until: date | None) -> None:
        """Close and open gaps; who has answered in this run without the missing bar was asked in vain.

        What is older than ``whole_until`` is counted only of tickers whose history was asked for in this run.
        """
        run = self._run
        known = [] if whole_until is None else [meta_id for meta_id in self._ids if meta_id not in run.whole]
        recent = [day for day in self._expected if whole_until is None or day >= whole_until]

        def record() -> None:
            self._close()
            for ids, days in ((known, recent), (sorted(set(self._ids) - set(known)), self._expected)):
                self._counts["found"] += coverage.open_gaps(run.connection, ids, days, run.context, since=since)
            self._note_answers()

        self._write(record)

    def heal(self) -> None:
        """Ask the listings for the last session, then the sources of histories for a part of the tickers with gaps.

        Those that were asked longest ago are asked first.
        """
        run = self._run
        if Nasdaq.name in run.job.sources:
            self._heal_last_session()
        for source in other_histories(run):
            due = run.again(partial(self._due, source.name))
            if not due:
                continue
            wanted = [
                Wanted(target=self._by_id[meta_id], window=Window(start=day, session=run.session))
                for meta_id, day in due.items()
            ]
            run.since |= due
            try:
                land_more(run, source.prices(wanted))
            except SourceError as error:
                log.warning("%s was asked for %d tickers with gaps: %s", source.name, len(wanted), error)
            self._write(self._answered)

    def _due(self, source: str) -> dict[int, date]:
        run = self._run
        return coverage.due_gaps(
            run.connection,
            run.job.iso_code,
            self._ids,
            source=source,
            until=run.session,
            reread_from=last_sessions(run, run.settings.lookback_sessions)[0],
            context=run.context,
            limit=min(HEALED_TICKERS, run.requests_left),
        )

    def _heal_last_session(self) -> None:
        """What the US exchanges' listings have of the session that they are of; of older ones they have nothing."""
        run = self._run
        due = run.again(
            lambda: coverage.gaps_of(run.connection, self._ids, run.session, source=Nasdaq.name, context=run.context)
        )
        if not due:
            return
        land_listed(run, [self._by_id[meta_id] for meta_id in sorted(due)])
        self._write(self._answered)

    def tell(self) -> None:
        """One note where something was found, done, or is still open."""
        run = self._run
        still_open, tickers = run.again(lambda: coverage.count_open(run.connection, self._ids))
        told = [f"{number} {what}" for what, number in self._counts.items() if number]
        if told or still_open:
            told.append(
                f"{still_open} open in {count(tickers, 'ticker')}, later runs ask again" if still_open else "none open"
            )
            run.notes.append(f"missing sessions: {', '.join(told)} (see `coverage`)")

    def _write(self, step: Callable[[], None]) -> None:
        """Do ``step`` in one transaction; where that has to be done again, what it counted is forgotten."""
        before = dict(self._counts)

        def anew() -> None:
            self._counts = Counter(before)
            with self._run.connection.transaction():
                step()

        self._run.again(anew)

    def _answered(self) -> None:
        self._close()
        self._note_answers()

    def _close(self) -> None:
        run = self._run
        self._counts["healed"] += coverage.close_gaps(
            run.connection, self._ids, self._expected, self._until, run.context
        )

    def _note_answers(self) -> None:
        run = self._run
        for source in HISTORIES:
            if answered := run.heard.get(source):
                coverage.asked_in_vain(run.connection, source, answered, run.end, run.context)
        coverage.listing_asked_in_vain(run.connection, run.job.iso_code, run.job.sources[0], self._ids, run.context)
        self._counts["given up (the sources have nothing)"] += coverage.give_up(run.connection, self._ids, run.context)
