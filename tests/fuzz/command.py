"""``python -m tests.fuzz``: rounds of damaged answers until each source has had its payloads, and what came of them."""

import argparse
import contextlib
import faulthandler
import json
import logging
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import postgres
from tests.fixtures.database import Server
from tests.fixtures.market import Market
from tests.fuzz import generated, korea, listings, macro, us
from tests.fuzz.recorded import recorded_bodies
from tests.fuzz.rounds import Round
from tests.replay import Replay
from tests.replay.faults import Source

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT.parent / "shared" / "data"
GENERATED_SHARE = 0.1  # of the payloads are hypothesis', not damage to an answer
HANGS_SECONDS = 600


@dataclass(frozen=True)
class World:
    """A source under test: its data, what an undisturbed job makes of it, and one round."""

    source: Source
    write: Callable[[Path], None]
    expected: Callable[[Market, float], Any]
    play: Callable[..., Round]


WORLDS = {
    "yahoo": World(Source.YAHOO, us.write, us.expected, us.play),
    "krx": World(Source.KRX, korea.write_listings, korea.expected_listings, korea.play_listings),
    "naver": World(Source.NAVER, korea.write_histories, korea.expected_histories, korea.play_histories),
    "fred": World(Source.FRED, macro.write, macro.expected, macro.play),
    "listings": World(Source.LISTING, listings.write, lambda market, scale: None, listings.play),
}


@dataclass
class Summary:
    """What came of all rounds of one source."""

    payloads: int = 0
    rounds: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    runs: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    failing: dict[str, list[str]] = field(default_factory=dict)

    def add(self, one: Round) -> None:
        """Count one round."""
        self.payloads += one.payloads
        self.rounds += 1
        self.slowest = round(max(self.slowest, one.slowest), 1)
        self.runs += one.runs
        self.states += one.states
        if one.wrong:
            self.failing[one.seed] = sorted(set(one.wrong))


@dataclass
class Bench:
    """A world at work: the data is served, the answers of an undisturbed job are known."""

    world: World
    server: Server
    replay: Replay
    folder: Path
    scale: float
    truth: Any = None
    recorded: dict[str, bytes] = field(default_factory=dict)

    def market(self) -> Market:
        """The world over an empty database."""
        self.replay.reset()
        return Market(self.server.recycle(), self.folder, self.replay)

    def play(self, seed: str, only: Collection[str] | None = None) -> Round:
        """One round."""
        return self.world.play(self.market(), seed, self.truth, recorded=self.recorded, only=only, scale=self.scale)

    def narrowed(self, seed: str, names: Collection[str]) -> list[str]:
        """As few of the damaged answers as make the round of ``seed`` fail still."""
        left = sorted(names)
        while len(left) > 1:
            halves = left[: len(left) // 2], left[len(left) // 2 :]
            failing = next((half for half in halves if self.play(seed, half).wrong), None)
            if failing is None:
                break  # they fail only together
            left = failing
        return left


@contextlib.contextmanager
def bench(name: str, server: Server, replay: Replay, scale: float = 1.0) -> Iterator[Bench]:
    """The world ``name``, ready to play; ``scale`` is how much of it a round takes."""
    world = WORLDS[name]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        world.write(Path(folder))
        replay.load(Path(folder))
        ready = Bench(world, server, replay, Path(folder), scale)
        ready.truth = world.expected(ready.market(), scale)
        ready.recorded = recorded_bodies(RECORDED, world.source)
        yield ready


def campaign(name: str, ready: Bench, payloads: int, seed: int) -> Summary:
    """Generated answers, then damaged ones until ``payloads`` were served in all; told as they come."""
    summary, before = Summary(), time.monotonic()

    def add(one: Round) -> None:
        summary.add(one)
        print(f"{name}: {summary.payloads:,} of {payloads:,}, {time.monotonic() - before:.0f} s", flush=True)
        for line in sorted(set(one.wrong)):
            print(f"  seed {one.seed}: {line[:1000]}", flush=True)

    faulthandler.dump_traceback_later(3 * HANGS_SECONDS, exit=True)
    made_up = int(payloads * GENERATED_SHARE)
    if name in generated.PLAYS and made_up >= generated.EACH:  # not where one round is repeated
        for one in generated.rounds(name, ready.market, made_up, seed):
            add(one)
    while summary.payloads < payloads:
        faulthandler.dump_traceback_later(HANGS_SECONDS, exit=True)
        add(ready.play(f"{seed + summary.rounds}"))
    faulthandler.cancel_dump_traceback_later()
    summary.seconds = round(time.monotonic() - before)
    return summary


def main(replay: Replay) -> int:
    """Run what the command line asks for; 1 where a round found something wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--source", action="append", choices=WORLDS, help="again for more; without it, every one")
    parser.add_argument("--payloads", type=int, default=10_000, help="of each source, at least: rounds are whole")
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--narrow", action="store_true", help="one round, down to the answers that make it fail")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that its server ends, too
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")  # as in production; yfinance and pandas have much to say about such answers
    summaries = {}
    with tempfile.TemporaryDirectory(prefix="fuzz-postgres-") as root, _server(Path(root)) as server:
        for name in options.source or WORLDS:
            with bench(name, server, replay) as ready:
                if options.narrow:
                    one = ready.play(str(options.seed))
                    print(*sorted(set(one.wrong)), ready.narrowed(str(options.seed), one.names), sep="\n")
                    continue
                summaries[name] = campaign(name, ready, options.payloads, options.seed)
                _tell(summaries)
    return int(any(summary.failing for summary in summaries.values()))


@contextlib.contextmanager
def _server(root: Path) -> Iterator[Server]:
    root.chmod(0o755)  # PostgreSQL's account may not be this one
    server = Server(postgres.start(root / "postgres"))
    try:
        yield server
    finally:
        server.close()
        postgres.stop(root / "postgres")


def _tell(summaries: dict[str, Summary]) -> None:
    """Print the table so far, and write it to build/fuzz.json."""
    print("| source | payloads | runs | seconds | slowest run | how runs ended | how tickers ended | wrong |")
    print("|---|---|---|---|---|---|---|---|")
    for name, one in summaries.items():
        runs, states = (_counted(counts) for counts in (one.runs, one.states))
        print(
            f"| {name} | {one.payloads:,} | {one.runs.total():,} | {one.seconds:.0f} | {one.slowest} s | {runs} "
            f"| {states} | {len(one.failing)} |"
        )
    written = ROOT / "build" / "fuzz.json"
    written.parent.mkdir(exist_ok=True)
    written.write_text(json.dumps({name: vars(one) for name, one in summaries.items()}, indent=2) + "\n")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.most_common() if name != "part")
