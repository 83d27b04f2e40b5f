"""Completeness: for every expected pair of ticker and session a bar, a recorded reason, or an open gap (tb_gap).

Which sessions there were is the caller's knowledge: ``sessions`` are ascending dates without the closures. Call what
writes inside a transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from include.insight_invest.jobs import Job
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import LoadContext
from include.insight_invest.store.statements import sql

# Two sources that agree are evidence; one alone may be down in a way that looks like an answer, for a day or two.
AGREEING_SOURCES = 2
DAYS_OF_ONE_SOURCE = 3


@dataclass(frozen=True)
class TickerCoverage:
    """What is stored of one ticker from ``first_day`` to ``last_day``; the counts are of sessions."""

    meta_id: int
    ticker: str
    first_day: date
    last_day: date
    sessions: int  # expected
    bars: int
    held: int  # without a bar, as it is in quarantine or was rejected there
    source_gaps: int  # the sources agree that there is nothing
    open_gaps: int  # asked for again

    @property
    def unexplained(self) -> int:
        """How many sessions have neither bar, reason nor open gap."""
        return self.sessions - self.bars - self.held - self.source_gaps - self.open_gaps


@dataclass(frozen=True)
class Settled:
    """Of one shard of a job: the oldest and the newest session that a finished whole run looked at."""

    shard: tuple[int, int]
    since: date
    until: date


@dataclass(frozen=True)
class Loaded:
    """The run that loaded a session, and the tickers that its sources answered for, if only that they have nothing."""

    run_id: int
    answered: frozenset[str]


def settled(connection: Connection, job: str) -> list[Settled]:
    """What whole runs of ``job`` have covered, per shard of the division that has got farthest in all its shards.

    Empty while no division has a finished run of each of its shards.
    """
    rows = connection.execute(sql("settled"), {"job": job}).fetchall()
    found = []
    for shard, since, until in rows:
        index, count = str(shard).split("/")
        assert isinstance(since, date)  # noqa: S101 (a date column)
        assert isinstance(until, date)  # noqa: S101 (a date column)
        found.append(Settled((int(index), int(count)), since, until))
    return found


def coverage(
    connection: Connection, meta_ids: Sequence[int], sessions: Sequence[date], *, since: date | None
) -> list[TickerCoverage]:
    """What there is of each of ``meta_ids`` at ``sessions``; tickers of which nothing is expected are left out.

    ``since`` is the oldest session that a whole run looked at: before it only tickers whose history was loaded are
    expected. About 2 s for 9 million bars.
    """
    if not (sessions and meta_ids):
        return []
    values = {
        "meta_ids": list(meta_ids),
        "sessions": list(sessions),
        "since": since or date.max,
        "until": sessions[-1],
    }
    cursor = connection.cursor(row_factory=class_row(TickerCoverage))
    return cursor.execute(sql("coverage"), values).fetchall()


def days_without_trade(connection: Connection, meta_ids: Sequence[int], until: date) -> int:
    """How many of the bars say that there was no trade: a close, and neither an open nor volume (a halt)."""
    row = connection.execute(
        "select count(*) from tb_bar where meta_id = any (%s) and trade_date <= %s and open is null and volume = 0",
        [list(meta_ids), until],
    ).fetchone()
    return _integer(row)


def close_gaps(
    connection: Connection, meta_ids: Sequence[int], sessions: Sequence[date], until: date, context: LoadContext
) -> int:
    """Close the gaps up to ``until`` that are none any more: their bar came, or none is expected.

    Returns how many bars came.
    """
    values = {"meta_ids": list(meta_ids), "sessions": list(sessions), "until": until, "as_of": context.as_of}
    return sum(row[0] == "healed" for row in connection.execute(sql("close_gap"), values))


def open_gaps(
    connection: Connection,
    meta_ids: Sequence[int],
    sessions: Sequence[date],
    context: LoadContext,
    *,
    since: date | None,
) -> int:
    """Open a gap for every missing pair without a reason; returns how many."""
    short = [one for one in coverage(connection, meta_ids, sessions, since=since) if one.unexplained]
    if not short:
        return 0
    values = {
        "meta_ids": [one.meta_id for one in short],
        "first_days": [one.first_day for one in short],
        "last_days": [one.last_day for one in short],
        "sessions": list(sessions),
        "run_id": context.run_id,
        "as_of": context.as_of,
    }
    return connection.execute(sql("open_gap"), values).rowcount


def asked_in_vain(
    connection: Connection, source: str, answered: Mapping[int, date], until: date, context: LoadContext
) -> int:
    """Remember that ``source`` answered of each meta_id, from the given day on, without its open gaps up to ``until``.

    A source counts once a day. Returns how many gaps were marked.
    """
    values = {
        "source": source,
        "meta_ids": list(answered),
        "since": list(answered.values()),
        "until": until,
        "day": str(context.as_of.date()),
    }
    return connection.execute(sql("ask_gap"), values).rowcount


def listing_asked_in_vain(
    connection: Connection, iso_code: str, source: str, meta_ids: Sequence[int], context: LoadContext
) -> int:
    """The same of a listing, which answers for one session: those that were recorded lack the bar."""
    values = {"iso_code": iso_code, "source": source, "meta_ids": list(meta_ids), "day": str(context.as_of.date())}
    return connection.execute(sql("ask_gap_of_listing"), values).rowcount


def gaps_of(
    connection: Connection, meta_ids: Sequence[int], session: date, *, source: str, context: LoadContext
) -> set[int]:
    """Those of ``meta_ids`` with an open gap at ``session`` for which ``source`` was not asked in vain today."""
    rows = connection.execute(
        "select meta_id from tb_gap where meta_id = any (%s) and trade_date = %s and state = 'open' "
        "and not asked @> jsonb_build_object(%s::text, jsonb_build_array(%s::text))",
        [list(meta_ids), session, source, str(context.as_of.date())],
    )
    return {int(str(row[0])) for row in rows}


def give_up(connection: Connection, meta_ids: Sequence[int], context: LoadContext) -> int:
    """Close the gaps of which two sources agree, or the only one insists, that there is nothing; returns how many."""
    values = {
        "meta_ids": list(meta_ids),
        "as_of": context.as_of,
        "agreeing": AGREEING_SOURCES,
        "days": DAYS_OF_ONE_SOURCE,
    }
    return connection.execute(sql("give_up_gap"), values).rowcount


def due_gaps(
    connection: Connection,
    iso_code: str,
    meta_ids: Sequence[int],
    *,
    source: str,
    until: date,
    reread_from: date,
    context: LoadContext,
    limit: int,
) -> dict[int, date]:
    """The next ``limit`` tickers to ask ``source`` for, each with its oldest gap that it was not asked for today."""
    values = {
        "iso_code": iso_code,
        "meta_ids": list(meta_ids),
        "source": source,
        "until": until,
        "reread_from": reread_from,
        "day": str(context.as_of.date()),
        "limit": limit,
    }
    return {int(str(row[0])): row[1] for row in connection.execute(sql("due_gap"), values).fetchall()}  # type: ignore[misc]


def count_open(connection: Connection, meta_ids: Sequence[int] | None = None) -> tuple[int, int]:
    """How many gaps are open, and of how many tickers: of ``meta_ids``, or of all."""
    row = connection.execute(
        "select count(*), count(distinct meta_id) from tb_gap "
        "where state = 'open' and (%(meta_ids)s::integer[] is null or meta_id = any (%(meta_ids)s))",
        {"meta_ids": None if meta_ids is None else list(meta_ids)},
    ).fetchone()
    assert row is not None  # noqa: S101 (counts)
    return int(str(row[0])), int(str(row[1]))


def loaded_by(
    connection: Connection, job: Job, shard: tuple[int, int], session: date, as_of: datetime
) -> Loaded | None:
    """The newest whole run of ``job`` that loaded ``session`` and had succeeded by ``as_of``; None where none had.

    Who has the last source's bar of it, which only stands in for the others, was not answered for.
    """
    values = {
        "job": job.name,
        "shard": f"{shard[0]}/{shard[1]}",
        "session": session,
        "as_of": as_of,
        "iso_code": job.iso_code,
        "fallback": job.sources[-1],
    }
    row = connection.execute(sql("loaded_by"), values).fetchone()
    if row is None:
        return None
    run_id, tickers = row
    return Loaded(int(str(run_id)), frozenset(tickers or ()))  # type: ignore[call-overload]


def _integer(row: tuple[object, ...] | None) -> int:
    assert row is not None  # noqa: S101 (a count)
    return int(str(row[0]))
