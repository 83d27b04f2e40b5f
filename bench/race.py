"""Rounds: everybody once, then everybody again, so that a machine that drifts drifts under all of them alike."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import bars
from bench.child import Child
from bench.server import Server, psql
from bench.sizes import Sizes

type Round = dict[str, Any]  # what was measured: seconds, wal_bytes, and what a contestant knows beside them
type Rounds = dict[str, list[Round]]  # by contestant


@dataclass
class Bench:
    """What every case works with. ``tell`` shows a person what is going on."""

    server: Server
    sizes: Sizes
    rounds: int
    tell: Callable[[str], None] = field(default=lambda _text: None)

    @property
    def market(self) -> str:
        """The database of the stored market, one for each size."""
        return market_name(self.sizes)


def market_name(sizes: Sizes) -> str:
    """The database of the market of this size."""
    return f"bench_market_{sizes.market_tickers}x{sizes.market_sessions}"


@dataclass(frozen=True)
class Entrant:
    """Who takes part: ``go`` is measured, ``before`` and ``after`` are not."""

    name: str
    go: Callable[[], Round]
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None


def race(bench: Bench, title: str, groups: Sequence[Sequence[Entrant]], *, rotate: bool = True) -> Rounds:
    """Let each entrant go once a round, each after a checkpoint.

    The order moves on by one group each round, unless ``rotate`` is off; within a group it stays.
    """
    found: Rounds = {entrant.name: [] for group in groups for entrant in group}
    for number in range(bench.rounds):
        first = number % len(groups) if rotate else 0
        for entrant in (one for group in [*groups[first:], *groups[:first]] for one in group):
            bench.tell(f"{title}: round {number + 1} of {bench.rounds}, {entrant.name}")
            entrant.before()
            found[entrant.name].append(measured(bench.server, entrant.go))
            entrant.after()
    return found


def measured(server: Server, go: Callable[[], Round]) -> Round:
    """What ``go`` measures, and the WAL that it wrote."""
    server.checkpoint()
    before = server.wal()
    told = go()
    return {**told, "wal_bytes": server.wal() - before}


class Psql:
    """psql's binary \\copy of a file that is made beforehand: the limit of what a client can do."""

    def __init__(self, url: str, file: Path) -> None:
        self._url, self._file = url, file

    def prepare(self, shape: bars.Shape) -> None:
        """Write the file."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("wb") as file:
            for part in bars.copy_parts(shape):
                file.write(part)

    def go(self) -> Round:
        """Copy it in; the time is psql's own, without its start."""
        said = psql(self._url, r"\timing on", rf"\copy tb_bar from '{self._file}' with (format binary)")
        found = re.search(r"Time: ([\d.]+) ms", said)
        assert found is not None, said
        return {"seconds": float(found[1]) / 1000}

    def close(self) -> None:
        """Remove the file."""
        self._file.unlink(missing_ok=True)


def entrant(name: str, child: Child, **hooks: Callable[[], object]) -> Entrant:
    """A contestant's process as an entrant."""
    return Entrant(name, child.go, **hooks)
