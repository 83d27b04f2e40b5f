"""Landing price answers: checks, one transaction a batch, and how each ticker ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, partial
from typing import TYPE_CHECKING

from include.insight_invest import sessions
from include.insight_invest.checks.bars import only_sessions
from include.insight_invest.errors import BatchRefused, UniverseError
from include.insight_invest.sources.base import Answer, State, Wanted, Window
from include.insight_invest.store import overrides, symbols, universe
from include.insight_invest.store.coverage import settled
from include.insight_invest.store.load import Counts
from include.insight_invest.store.overrides import SessionState
from include.insight_invest.store.universe import Target
from include.insight_invest.updaters.gate import note_refused, refuse_bad_batch
from include.insight_invest.updaters.ghosts import Ghosts
from include.insight_invest.updaters.price_limits import within_limits
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.updaters.resuming import left_to_ask, remember, without_final
from include.insight_invest.updaters.storing import (
    Judged,
    checked_answer,
    in_window,
    notes_of,
    read_in_old_shares,
    store_answer,
    undecided,
    whole_histories,
)
from include.insight_invest.wording import count

if TYPE_CHECKING:
    import pandas as pd

FIRST_SESSION = sessions.FIRST_DAY
# Yahoo tells some splits and dividends long after their day: what it lists of a quarter's sessions is read again, which
# costs no further request. Not in Korea, where each session's base prices tell of them.
ACTION_SESSIONS = {"US": 60}
# KRX's listings and Naver know no dividend. Yahoo's would be there only of the days on which it stood in for them.
WITHOUT_DIVIDENDS = ("KR",)
SHOWN_STALE = 10
NO_BAR_OF = "no bar of"  # how a note of stale tickers begins


@repeatable
def targets_of(run: Run) -> list[Target]:
    """The tickers this run is for: the country's, or those asked for, of this shard."""
    return universe.targets(run.connection, run.job.iso_code, run.options.tickers, run.options.shard, session=run.end)


@repeatable
def wanted_of(run: Run, targets: Sequence[Target], *, history: bool = True) -> list[Wanted]:
    """What is wanted of each: the look-back and what is new, and with ``history`` all of it where it is not loaded yet.

    Raises UsageError for a ticker nobody knows, UniverseError where there is none.
    """
    require(run, targets)
    looked = min((one.until for one in settled(run.connection, run.job.name)), default=run.end)
    wanted = [Wanted(target=target, window=_window(run, target, looked, history=history)) for target in targets]
    wanted = left_to_ask(run, without_final(run, wanted), lambda one: one.target.ticker)
    run.whole = {one.target.meta_id for one in wanted if one.window.start is None}
    run.since |= {one.target.meta_id: one.window.start or FIRST_SESSION for one in wanted}
    return wanted


def land_all(run: Run, answers: Iterator[Answer], total: int, *, rounds: int = 1) -> None:
    """Load every answer as it comes, but for those that are refused as a whole.

    ``total`` tickers are answered for in ``rounds`` answers each: a listing has all of them, of one session. Raises
    BatchRefused at the end where one was, SourceUnavailable where not one ticker was answered with a bar.
    """
    landing = Landing()
    landing.land(run, answers, total, rounds=rounds)
    landing.end(run)


@dataclass
class Landing:
    """What became of the answers so far: each ticker's ``newest`` bar, and why an answer was ``refused``."""

    newest: dict[str, date] = field(default_factory=dict)
    refused: list[BatchRefused] = field(default_factory=list)

    def land(self, run: Run, answers: Iterator[Answer], total: int, *, rounds: int = 1) -> None:
        """Load every answer as it comes, as ``land_all``. Raises BudgetExceeded where no ticker more can be asked."""
        done = 0
        asked: set[int] = set()
        ghosts = Ghosts(run)
        for answer in answers:
            try:
                refuse_bad_batch(run, answer)
                _land(run, run.again(partial(ghosts.without, answer)), self.newest)
            except BatchRefused as error:
                note_refused(run, answer, error)
                self.refused.append(error)
            else:
                answer.landed = True
                self.landed(run, answer)
            done += len(answer.asked)
            asked |= {target.meta_id for target in answer.asked}
            run.progress(done, max(total, len(asked)) * rounds)
            remember(run, total - len(asked), until=answer.until)
        for answer in ghosts.bars():
            _land(run, answer, self.newest)
        if not asked:
            remember(run, total)

    def landed(self, run: Run, answer: Answer) -> None:
        """Called with each answer when it is committed."""

    def end(self, run: Run) -> None:
        """Raise what ``land_all`` raises, or note whose newest bar is not of the last session."""
        if self.refused:
            raise self.refused[0]
        run.require_an_answer("tickers was answered with a bar")
        _note_stale(run, self.newest)


def land_more(run: Run, answers: Iterator[Answer]) -> None:
    """Load answers asked for beside the run's own; how its tickers ended changes only where something came."""
    before = dict(run.outcomes)
    ghosts = Ghosts(run)
    try:
        for answer in answers:
            _land(run, run.again(partial(ghosts.without, answer)), {})
        for answer in ghosts.bars():
            _land(run, answer, {})
    finally:  # also of a source that turns out to be down
        for ticker, outcome in before.items():
            if run.outcomes[ticker][0] is not State.UPDATED:
                run.outcomes[ticker] = outcome


def _land(run: Run, answer: Answer, newest: dict[str, date]) -> None:
    """Load one answer, and remember how its tickers ended and of whom it spoke."""
    stored = _store(run, answer)
    answer, checked = stored.answer, stored.checked
    run.notes += notes_of(checked)
    with_bars = set(checked.good["ticker"])
    run.used(answer.source)
    run.listen(answer)
    held = {row["ticker"] for row in checked.held}
    last = {str(ticker): day.date() for ticker, day in stored.bars.groupby("ticker")["trade_date"].max().items()}
    newest |= {ticker: max(day, newest.get(ticker, day)) for ticker, day in last.items()}
    for target in answer.asked:
        if run.outcomes.get(target.ticker, (None, None))[0] is not State.UPDATED:
            run.outcomes[target.ticker] = _outcome(target, answer, stored.counts.tickers, with_bars, held)


@dataclass(frozen=True)
class _Stored:
    """What became of one answer: what is believed of it, its bars of sessions that were asked for, how many rows."""

    answer: Answer
    bars: "pd.DataFrame"
    checked: Judged
    counts: Counts


@repeatable
def _store(run: Run, answer: Answer) -> _Stored:
    """Check one answer and load it, with its actions and its ledger entry, in one transaction."""
    answer = undecided(run.connection, answer)
    if run.job.iso_code in WITHOUT_DIVIDENDS:
        answer = replace(answer, actions=answer.actions[answer.actions["kind"] == "split"])
    closed = overrides.silent_sessions(run.connection, run.job.exchange, [SessionState.CLOSED])
    days = set(_sessions_until(run.job.exchange, run.end)) - closed
    bars = in_window(run.connection, answer, only_sessions(answer.bars, days, FIRST_SESSION), run.since)
    bars, beyond = within_limits(run, answer, bars) if run.job.iso_code == "KR" else (bars, [])
    checked = checked_answer(run.connection, answer, bars)
    with run.batch():
        counts, checked = store_answer(
            run.connection,
            answer,
            replace(checked, held=[*beyond, *checked.held]),
            run.context,
            sources=run.job.sources,
            # what the next runs do not read again is settled
            settled_before=sessions.back_or_first(run.job.exchange, run.session, run.settings.lookback_sessions - 1),
        )
        counts.requests = answer.requests
        run.account(counts)
        universe.mark_history_loaded(run.connection, sorted(whole_histories(checked) & run.whole))
        universe.ask_history_again(run.connection, sorted(read_in_old_shares(checked) - run.whole))
    return _Stored(answer, bars, checked, counts)


def _outcome(
    target: Target, answer: Answer, changed: set[int], with_bars: set[str], held: set[str]
) -> tuple[State, str | None]:
    if target.ticker in answer.problems:
        return answer.problems[target.ticker]
    if target.meta_id in changed:
        return State.UPDATED, None
    if target.ticker in with_bars:
        return State.UNCHANGED, None
    if target.ticker in held:
        return State.FAILED, f"every row of {answer.source} is held back: see `quarantine list`"
    return State.EMPTY, f"{answer.source} answered without a bar in the window"


def _window(run: Run, target: Target, looked: date, *, history: bool) -> Window:
    """From the look-back on, or from what is missing or not final; ``looked`` is the last session of whole runs: a
    range after it leaves a hole that nobody has recorded yet."""
    options = run.options
    end = run.end
    if options.start is not None:
        return Window(start=options.start, session=end)
    if options.full_refresh or (history and not target.history_loaded):
        return Window(start=None, session=end)
    newest = min(target.stored_until or end, end, looked)
    start = sessions.back_or_first(run.job.exchange, newest, run.settings.lookback_sessions - 1)
    acted = ACTION_SESSIONS.get(run.job.iso_code)
    return Window(
        # a wider window costs no further request
        start=min(start, target.gap_since or start, target.unsettled_since or start),
        session=end,
        actions_from=sessions.back_or_first(run.job.exchange, newest, acted - 1) if acted else None,
    )


def require(run: Run, targets: Sequence[Target]) -> None:
    """Raise UsageError for a ticker nobody knows, UniverseError where there is none."""
    if run.options.tickers:
        symbols.require_known(run.connection, [run.job.iso_code], run.options.tickers)
    if not targets and run.options.shard == (1, 1):
        raise UniverseError(
            f"there is no {run.job.iso_code} ticker to update: run `universe import` (the starter universe, or your "
            "CSV file) or `universe sync` first"
        )


@repeatable
def _note_stale(run: Run, newest: dict[str, date]) -> None:
    silent = overrides.silent_sessions(run.connection, run.job.exchange)
    end = max((day for day in _sessions_until(run.job.exchange, run.end) if day not in silent), default=run.end)
    stale = sorted((day, ticker) for ticker, day in newest.items() if day < end)
    if stale:
        shown = ", ".join(f"{ticker} {day}" for day, ticker in stale[:SHOWN_STALE])
        more = f" and {len(stale) - SHOWN_STALE} more" if len(stale) > SHOWN_STALE else ""
        run.notes.append(f"{NO_BAR_OF} {end} for {count(len(stale), 'ticker')}; their newest: {shown}{more}")


@cache
def _sessions_until(exchange: str, end: date) -> tuple[date, ...]:
    return tuple(sessions.sessions(exchange, FIRST_SESSION, end)) if end >= FIRST_SESSION else ()
