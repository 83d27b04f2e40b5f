"""What an updater shares with whoever runs it: where it writes, how far it is, how each ticker ended."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Concatenate

import psycopg

from include.insight_invest.errors import SourceUnavailable
from include.insight_invest.jobs import Job
from include.insight_invest.log import redact
from include.insight_invest.settings import Settings
from include.insight_invest.sources.base import Answer, State
from include.insight_invest.sources.calling import Turns
from include.insight_invest.store import ledger
from include.insight_invest.store.database import Connection
from include.insight_invest.store.lease import one_batch_at_a_time
from include.insight_invest.store.link import Link
from include.insight_invest.store.load import Counts, LoadContext

if TYPE_CHECKING:
    from include.insight_invest.sources.nasdaq import Nasdaq

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]  # done, in all: tickers, series, or each ticker once a session
_STEPS = 10


def log_progress(job: str) -> Progress:
    """Progress for where nobody looks at a bar: about ten log lines a run."""
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        step = done * _STEPS // max(total, 1)
        if step > told:
            told = step
            log.info("%s: %d of %d", job, done, total)

    return tell


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run is asked to do. ``as_of`` None means now."""

    as_of: datetime | None = None
    dry_run: bool = False
    tickers: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    shard: tuple[int, int] = (1, 1)
    full_refresh: bool = False
    wait: int = 0  # seconds, for another run of the job to end
    trigger: str = "cli"

    @property
    def is_daily(self) -> bool:
        """Whether the market's last sessions are asked for, and nothing else."""
        return not (self.tickers or self.start or self.end or self.full_refresh)


@dataclass(kw_only=True)
class Run:
    """A run at work."""

    job: Job
    options: RunOptions
    settings: Settings
    link: Link
    context: LoadContext
    session: date
    progress: Progress
    turns: Turns | None = None  # at the sources, with the other processes
    counts: Counts = field(default_factory=Counts)
    outcomes: dict[str, tuple[State, str | None]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)  # the meta_ids whose whole history is asked for
    since: dict[int, date] = field(default_factory=dict)  # from which day on each meta_id is asked for
    heard: dict[str, dict[int, date]] = field(default_factory=dict)  # of whom each source answered, from that day on
    refusing: set[str] = field(default_factory=set)  # the sources that failed or throttled for some ticker
    sources: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    listings: "Nasdaq | None" = None  # the US exchanges' files, once they were asked for
    parts: set[str] = field(default_factory=set)  # sessions and tickers that an unfinished run over listings has landed
    told: set[str] = field(default_factory=set)  # whose problem an earlier run has reported: in the ledger only
    _accounted: Counts = field(default_factory=Counts)  # of the batch at work
    _version: str | None = None  # of the ledger row, as the batch at work wrote it

    @property
    def connection(self) -> Connection:
        """The connection to work on; another one where the last was lost between two batches."""
        return self.link.connection

    def again[T](self, step: Callable[[], T]) -> T:
        """What ``step`` returns, as ``Link.again``; what it noted before it broke off is forgotten."""
        notes = list(self.notes)

        def anew() -> T:
            self.notes[:] = notes
            return step()

        return self.link.again(anew)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """One transaction for one batch. A dry run, whose transaction lasts until its end, keeps nobody waiting.

        A COMMIT whose answer is lost with the connection may have happened: then the ledger row is as it was written.
        """
        self._accounted, self._version = Counts(), None
        complete = False
        try:
            with self.connection.transaction():
                if not self.options.dry_run:
                    one_batch_at_a_time(self.connection)
                yield
                complete = True
        except psycopg.Error as error:
            if not (complete and self.link.is_lost_by(error) and self._is_committed()):
                raise
        self.counts.add(self._accounted)

    def account(self, counts: Counts) -> None:
        """Write ``counts`` of a batch into the ledger row, in the transaction of their data."""
        self._version = ledger.add(self.connection, self.context.run_id, counts)
        self._accounted = counts

    def _is_committed(self) -> bool:
        written = self._version
        return written is not None and ledger.version(self.connection, self.context.run_id) == written

    @property
    def requests_left(self) -> int:
        """How many more requests the budget allows; a ticker's history is one, but for retries and Yahoo's sign-in."""
        return max(self.settings.request_budget - self.counts.requests, 0)

    @property
    def end(self) -> date:
        """The last session wanted: ``--end``, at most the run's own."""
        return min(self.options.end or self.session, self.session)

    @property
    def tickers(self) -> dict[str, dict[str, str | None]]:
        """How each ticker ended so far, as the ledger has it: {state: {ticker: reason}}."""
        ended: dict[str, dict[str, str | None]] = {}
        for ticker, (state, reason) in sorted(self.outcomes.items()):
            ended.setdefault(state, {})[ticker] = redact(reason) if reason else None
        if self.parts:
            ended[ledger.PART] = dict.fromkeys(sorted(self.parts))
        return ended

    def require_an_answer(self, what: str) -> None:
        """Raise SourceUnavailable where every outcome is without data: ``what`` says of how many, and of what."""
        if self.outcomes and not any(state in (State.UPDATED, State.UNCHANGED) for state, _ in self.outcomes.values()):
            reasons = "; ".join(sorted({str(reason) for _, reason in self.outcomes.values()})[:3])
            raise SourceUnavailable(f"not one of {len(self.outcomes)} {what}: {reasons}")

    def listen(self, answer: Answer) -> None:
        """Remember of whom the source answered, if only that it has nothing."""
        heard = self.heard.setdefault(answer.source, {})
        for target in answer.asked:
            state, _ = answer.problems.get(target.ticker, (State.EMPTY, ""))
            if state is not State.EMPTY:
                self.refusing.add(answer.source)
            elif target.meta_id in self.since:
                heard[target.meta_id] = min(self.since[target.meta_id], heard.get(target.meta_id, date.max))

    def used(self, source: str) -> None:
        """Remember that rows came from ``source``."""
        if source not in self.sources:
            self.sources.append(source)


def repeatable[**P, T](step: Callable[Concatenate[Run, P], T]) -> Callable[Concatenate[Run, P], T]:
    """Have a step done again that lost its connection or a lock: it uses the database only, and may begin anew."""

    @wraps(step)
    def call(run: Run, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run.again(lambda: step(run, *args, **kwargs))

    return call
