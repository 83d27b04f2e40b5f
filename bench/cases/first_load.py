"""Histories that the store has nothing of, and the same histories again."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import psycopg

from bench.bars import Shape
from bench.child import Child
from bench.race import Bench, Entrant, Psql, Round, Rounds, entrant, race
from bench.stored import define

NAME = "bench_load"
END = "2025-11-28"
FAST = ("adbc",)  # who loads all of the rows, as psql and we do; the others load a part


def first_load(bench: Bench) -> dict[str, Any]:
    """All rows by the fast ones, a part of them by everybody; each into the empty table with its primary key."""
    sizes = bench.sizes
    whole = Shape(sizes.load_tickers, sizes.load_sessions, END)
    part = Shape(sizes.slice_tickers, sizes.load_sessions, END)
    define(bench.server, NAME, sizes.load_tickers)
    fast = [peer for peer in sizes.peers if peer in FAST]
    slow = [peer for peer in sizes.peers if peer not in FAST]
    try:
        return {
            "rows": whole.rows,
            "part_rows": part.rows,
            "whole": _race(bench, "first load", whole, fast),
            "part": _race(bench, "first load, a part", part, slow) if slow else {},
        }
    finally:
        bench.server.drop(NAME)


def _race(bench: Bench, title: str, shape: Shape, peers: Sequence[str]) -> Rounds:
    server, url = bench.server, bench.server.url(NAME)

    def empty() -> None:
        server.empty(NAME)

    with ExitStack() as open_:
        bench.tell(f"{title}: making {shape.rows:,} rows for each")
        copy = Psql(url, server.root / "files" / "first_load.copy")
        copy.prepare(shape)
        groups = [[Entrant("psql", copy.go, before=empty)]]
        for peer in peers:
            child = open_.enter_context(Child("peers", peer, url))
            child.prepare(shape)
            groups.append([entrant(peer, child, before=empty)])
        ours, again = (open_.enter_context(Child("ours", name, url)) for name in ("first_load", "unchanged"))
        for child in (ours, again):
            child.prepare(shape)
        # Vacuumed, as a table is that was loaded before: its first reader does not pay for the hint bits.
        unchanged = Entrant("unchanged", lambda: _touching(url, again), before=lambda: server.vacuum(NAME))
        groups.append([entrant("ours", ours, before=empty), unchanged])
        try:
            return race(bench, title, groups)
        finally:
            copy.close()


def _touching(url: str, child: Child) -> Round:
    """Let it go; beside what it measures, how many bars were written, as the rows themselves say."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
        assert row is not None
        told = child.go()
        newer = connection.execute("select count(*) from tb_bar where xmin::text::bigint >= %s", [row[0]]).fetchone()
    assert newer is not None
    return {**told, "rows_touched": newer[0]}
