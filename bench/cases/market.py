"""A market of years: a day is added to it, a week is read again, and readers ask for parts of it."""

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import psycopg

from bench.bars import Shape
from bench.child import Child
from bench.race import Bench, Entrant, Psql, Round, Rounds, measured, race
from bench.stored import market

# Taken back after each peer, so that all load the same day; ours stays, and the next round's is the day after.
_TAKE_BACK = """
    set enable_hashjoin = off; set enable_mergejoin = off; set enable_seqscan = off;
    delete from tb_bar as b using (select meta_id from tb_meta) as m
    where b.meta_id = m.meta_id and b.trade_date = '{day}'
"""


def daily(bench: Bench) -> dict[str, Any]:
    """Every ticker's next session, by everybody; ours last in each round, because ours stays."""
    stored = market(bench)
    url = bench.server.url(bench.market)
    day = _Day(replace(stored, sessions=1))
    with ExitStack() as open_:
        copy = Psql(url, bench.server.root / "files" / "daily.copy")
        open_.callback(copy.close)
        groups = [[_taken_back(bench, day, "psql", copy)]]
        for peer in bench.sizes.peers:
            child = open_.enter_context(Child("peers", peer, url))
            groups.append([_taken_back(bench, day, peer, child)])
        ours = open_.enter_context(Child("ours", "daily", url))
        found: Rounds = {}
        for number in range(bench.rounds):
            day.next()
            title = f"daily, round {number + 1} of {bench.rounds}"
            turn = number % len(groups)
            last = Entrant("ours", ours.go, before=lambda: ours.prepare(day.shape))
            once = replace(bench, rounds=1)
            for name, rounds in race(once, title, [*groups[turn:], *groups[:turn], [last]], rotate=False).items():
                found.setdefault(name, []).extend(rounds)
    return {"rows": stored.tickers, "stored": _stored(bench), "rounds": found}


class _Day:
    """The session that everybody loads in a round."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def next(self) -> None:
        """The weekday after it."""
        self.shape = replace(self.shape, end=str(np.busday_offset(np.datetime64(self.shape.end, "D"), 1)))


def _taken_back(bench: Bench, day: _Day, name: str, contestant: Child | Psql) -> Entrant:
    def take_back() -> None:
        with psycopg.connect(bench.server.url(bench.market), autocommit=True) as connection:
            connection.execute(_TAKE_BACK.format(day=day.shape.end).encode())
        bench.server.vacuum(bench.market)

    return Entrant(name, contestant.go, before=lambda: contestant.prepare(day.shape), after=take_back)


def lookback(bench: Bench) -> dict[str, Any]:
    """Five sessions of every ticker, of which four are stored; the newest of those is confirmed, and so made final."""
    stored = market(bench)
    day = _Day(replace(stored, sessions=5))
    rounds: list[Round] = []
    with Child("ours", "daily", bench.server.url(bench.market)) as ours:
        for number in range(-1, bench.rounds):  # the first settles what the daily case has left, and is not counted
            bench.tell(f"look-back: round {max(number + 1, 1)} of {bench.rounds}")
            day.next()
            ours.prepare(day.shape)
            rounds.append(measured(bench.server, ours.go))
            bench.server.vacuum(bench.market)
    return {"rows": day.shape.rows, "stored": _stored(bench), "rounds": {"ours": rounds[1:]}}


def watermark(bench: Bench) -> dict[str, Any]:
    """The newest session of every ticker."""
    return _read(bench, {"watermark": "watermark"})


def reads(bench: Bench) -> dict[str, Any]:
    """What readers ask for most: a ticker's ten years, a day of the market, a series as it was known."""
    return _read(
        bench,
        {"prices": "prices", "history": "history", "recent day": "recent_day", "old day": "old_day", "macro": "macro"},
    )


def _read(bench: Bench, readers: dict[str, str]) -> dict[str, Any]:
    stored = replace(market(bench), sessions=bench.sizes.market_sessions)
    bench.server.vacuum(bench.market)
    with ExitStack() as open_:
        groups: list[list[Entrant]] = []
        for name, contestant in readers.items():
            child = open_.enter_context(Child("ours", contestant, bench.server.url(bench.market)))
            bench.tell(f"{name}: warming")
            child.prepare(stored)
            groups.append([Entrant(name, child.go)])
        found = race(bench, "reads", groups)
    return {"stored": _stored(bench), "rounds": found}


def _stored(bench: Bench) -> dict[str, Any]:
    """How much is in the market's table of bars, and on the disk."""
    with psycopg.connect(bench.server.url(bench.market)) as connection:
        row = connection.execute(
            "select (select count(*) from tb_bar), sum(pg_table_size(relid))::bigint, "
            "sum(pg_indexes_size(relid))::bigint "
            "from (select 'tb_bar'::regclass as relid union select relid from pg_partition_tree('tb_bar')) as part"
        ).fetchone()
    assert row is not None
    return dict(zip(("rows", "table_bytes", "index_bytes"), row, strict=True))
