"""Suspected closures: a session of which no source had a bar with a trade twelve hours after its close.

Korea closes at short notice, and the tables of sessions are late (sessions/overrides.csv). What is suspected is not
expected any more, nothing is stored for it, and every run decides again: a bar, from whom ever, makes it a session.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from include.insight_invest import sessions
from include.insight_invest.errors import SourceError
from include.insight_invest.sources.base import Wanted, Window
from include.insight_invest.sources.nasdaq import Nasdaq
from include.insight_invest.store import overrides, recent
from include.insight_invest.store.overrides import SessionState
from include.insight_invest.store.recent import DayBars
from include.insight_invest.store.universe import Target
from include.insight_invest.updaters.expected import last_sessions
from include.insight_invest.updaters.ghosts import Silence, silences
from include.insight_invest.updaters.histories import HISTORIES, other_histories
from include.insight_invest.updaters.landing import NO_BAR_OF, land_more
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.updaters.us import land_listed
from include.insight_invest.wording import count

log = logging.getLogger(__name__)

# KRX's cache and Yahoo have a session within an hour or two of its close; the scheduled runs come 12 h or more after.
SILENT_AFTER = timedelta(hours=12)
# The most traded shares of the session before: one of them without a trade is rare, ten are a closed market.
SAMPLE = 10


def decide_closures(run: Run, targets: Sequence[Target]) -> None:
    """Reopen suspected sessions that have bars by now, and suspect those of the last sessions that have none."""
    exchange = run.job.exchange
    known = {found.session_date: found for found in run.again(lambda: overrides.overrides(run.connection, exchange))}
    suspected = [day for day, found in known.items() if found.state == SessionState.SUSPECTED]
    window = last_sessions(run, 2 * run.settings.lookback_sessions)
    meta_ids = [target.meta_id for target in targets]
    bars = _bars_per_day(run, meta_ids, [*window, *suspected])
    for day in suspected:
        if day in bars and bars[day].traded:
            _reopen(run, day, bars[day].traded)
    silent = [one for one in _silences(run, window, bars) if one.day not in known]
    if not silent:
        return
    if Nasdaq.name in run.job.sources and silent[-1].day == run.session:
        land_listed(run, _most_traded(run, targets, silent[-1]))  # of another session they say so, and land nothing
    evidence = _evidence(run, targets, silent)
    if not evidence:
        return
    came = _bars_per_day(run, meta_ids, [one.day for one in silent])
    for one in silent:
        if one.day not in came or not came[one.day].traded:
            _suspect(run, one, evidence)


@repeatable
def _bars_per_day(run: Run, meta_ids: Sequence[int], days: Sequence[date]) -> Mapping[date, DayBars]:
    return recent.bars_per_day(run.connection, meta_ids, days)


def _silences(run: Run, window: Sequence[date], bars: Mapping[date, DayBars]) -> list[Silence]:
    """Of the sessions that each run reads again, those without a trade, for which the sources have had the time."""
    reread = window[-run.settings.lookback_sessions :]
    return [
        one
        for one in silences(window, bars)
        if one.day in reread and sessions.session(run.job.exchange, one.day).close + SILENT_AFTER <= run.context.as_of
    ]


def _evidence(run: Run, targets: Sequence[Target], silent: Sequence[Silence]) -> dict[str, Any]:
    """Who answered for the silent sessions without a bar of them: in this run, or asked now. Empty: nobody did."""
    day = silent[0].day
    enough = min(SAMPLE, silent[0].bars_before)
    heard = _heard_of(run, day)
    if len(set().union(*heard.values())) < enough:
        _ask_sample(run, targets, silent[0])
        heard = _heard_of(run, day)
    tickers = len(set().union(*heard.values()))
    return {"sources": list(heard), "tickers": tickers} if tickers >= enough else {}


def _heard_of(run: Run, day: date) -> dict[str, set[int]]:
    """The tickers that each source of histories answered for in this run, from ``day`` or earlier on."""
    heard = {
        name: {meta_id for meta_id, since in run.heard.get(name, {}).items() if since <= day} for name in HISTORIES
    }
    return {name: tickers for name, tickers in heard.items() if tickers}


def _ask_sample(run: Run, targets: Sequence[Target], silence: Silence) -> None:
    """Ask the sources of histories for the shares that traded most in the session before."""
    window = Window(start=silence.before, session=run.session)
    wanted = [Wanted(target=target, window=window) for target in _most_traded(run, targets, silence)]
    run.since |= {one.target.meta_id: silence.before for one in wanted}
    for source in other_histories(run):
        try:
            land_more(run, source.prices(wanted))
        except SourceError as error:
            log.warning("%s was asked whether %s traded on %s: %s", source.name, run.job.exchange, silence.day, error)


@repeatable
def _most_traded(run: Run, targets: Sequence[Target], silence: Silence) -> list[Target]:
    chosen = recent.most_traded(run.connection, [target.meta_id for target in targets], silence.before, SAMPLE)
    return [target for target in targets if target.meta_id in chosen]


def _suspect(run: Run, silence: Silence, evidence: dict[str, Any]) -> None:
    day, exchange = silence.day, run.job.exchange
    told = {**evidence, "session_before": str(silence.before), "bars_of_session_before": silence.bars_before}
    run.again(lambda: overrides.suspect(run.connection, exchange, day, told, run.context))
    run.notes[:] = [note for note in run.notes if not note.startswith(f"{NO_BAR_OF} {day} ")]
    run.notes.append(
        f"{exchange} was perhaps closed on {day}: {' and '.join(evidence['sources'])} answered for "
        f"{evidence['tickers']} tickers without a bar of it, {silence.bars_before} have one of {silence.before}. "
        f"Nothing is expected of it any more. Confirm it by `sessions close {exchange} {day} --note ...` and by this "
        f'line in sessions/overrides.csv: {exchange},{day},closed,,,"(who says so)"'
    )
    log.warning("%s", run.notes[-1])


def _reopen(run: Run, day: date, bars: int) -> None:
    note = f"{count(bars, 'bar')} of {day} came after all: {run.job.exchange} was open"
    exchange, now = run.job.exchange, run.context.as_of
    run.again(lambda: overrides.decide(run.connection, exchange, day, SessionState.OPEN, by="bars", note=note, now=now))
    run.notes.append(note)
    log.info("%s", note)
