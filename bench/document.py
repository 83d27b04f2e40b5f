"""docs/benchmarks.md, as the command writes it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.bars import COLUMNS
from bench.readers import READS
from bench.report import GOALS, PEERS, is_met, judged
from bench.shown import HEADINGS, cells, number, races
from bench.words import MEANING, NAMES
from include.insight_invest.sources.yahoo import HISTORY_TICKERS

_HEAD = """# Benchmarks

Written by `make bench` on {machine}: {rounds} rounds of everything, but for the updater's memory, which is read
once for each number of tickers; a round of a reader is up to 20 reads, and all of them count. `build/bench.json` has
every figure of every round. Times belong to that machine: **read the ratios**, they were taken in pairs, on the same
rows, against the same server, one after the other.

"""
_HOW = """## How it is measured

- One embedded PostgreSQL {version} of its own, durable: {settings}. Connections go over TCP with a password.
- Everybody gets the same rows: generated bars ({columns} columns of `tb_bar`, prices as 32-bit floats), the same
  ones in each round and on each machine. Processes, imports, connections and the making of the rows are not
  measured; everything from the data frame in memory until the commit has come back is. psql gets a file in
  PostgreSQL's binary format, and its own `\\timing` counts.
- Everybody once is a round; the order moves on from round to round. A checkpoint goes before each, so that each
  pays for its own full-page images; autovacuum is off, and vacuum runs by hand at the same places for all.
- `this store` is `load_bars` as the updaters call it: batches of {batch} tickers' histories or a whole day at
  once, each in one transaction, checked against what is stored. ADBC, `to_sql`, dlt and psql only append: a row
  that is there already ends their load with an error. execute_values and SQLAlchemy overwrite (`ON CONFLICT DO
  UPDATE`).
- Each way is what its own documentation shows first, with pages of 1,000 rows for execute_values. Versions:
  {peers}.
- The stored market is 10,000 tickers × 2,000 sessions, and ten years of 200 of them; each round adds a day.
- *Peak MB* is the whole process with its frame in memory, *server CPU* that of its backend, where it is known.
- In `build/bench.json` a ratio `vs_…` is how many times as fast this store was: above 1 it was faster.

"""
_GROUP = """it ran inside a cgroup of 512 MiB, as a task does, whose own count leaves out what another
process had read of its files before"""
_AFTER = """## What the numbers mean

psql's binary `\\copy` is what one connection can take: it parses nothing and checks only the primary key. What
this store does beside that is to look at what is stored, so that a second run writes nothing, a correction keeps
the earlier value, and a row that is there is never overwritten by a worse source. `unchanged` is that second run.

A day of the whole market goes into neighbouring pages of the primary key, and of the second index into one page for
each eight tickers ([storage.md](storage.md) says why); after a checkpoint PostgreSQL writes each page that is touched
to the WAL as a whole, once. Everybody who adds the day pays for that, and it is most of the WAL in the table above.
So does a first load: both indexes are kept while it runs, by psql as by us.

The job's first load cannot be much less: of a bar yfinance and the checks take {client:.0f} µs of CPU, storing it takes
{store:.0f} in the server and here, most of it the COPY. The daily run reads seven sessions of each ticker and stores
one; that is the job whose share counts.

The readers are `store.prices` and `store.read`: one connection, a warm server, {reads} reads a round (or two
seconds of them), another ticker or day each time, with the splits and dividends of ten years in `tb_action`. Prices
are computed when they are read.

The whole job is `run_scheduled_job.py --job us-price`: yfinance, checks and store, against a generated Yahoo in a
process of its own. *The database's share* is the CPU of its server process and of the store's own functions in
the updater, of both processes together. Its memory is what the kernel says of it at its end (VmHWM: everything
resident, libraries too); {cgroup}.

No bar is kept: the resident memory grows by {grows:.1f} kB a ticker, the allocator's share included. Of Python's
objects (traced once, between 300 and 3,000 tickers) it is 0.35 kB, the ticker's name and how it ended.

"""


def write_document(measured: Mapping[str, Any], file: Path) -> None:
    """Write the page beside its plots."""
    file.write_text("".join(_document(measured)), encoding="utf-8")


def _document(measured: Mapping[str, Any]) -> Iterator[str]:
    machine, settings = measured["machine"], measured["settings"]
    shown = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:.0f} GB, {machine['system']}"
    rounds = [case["asked_rounds"] for case in measured["cases"].values()]
    counted = f"{min(rounds)}" if min(rounds) == max(rounds) else f"{min(rounds)} to {max(rounds)}"
    yield _HEAD.format(machine=shown, rounds=counted)
    yield "".join(_figures(measured["figures"]))
    for title, rows, found in races(measured["cases"]):
        table = [[NAMES[name], *cells(rows, one)] for name, one in found.items()]
        yield f"## {title}\n\n" + _table(["", *HEADINGS], table)
    yield "![first load, everybody](benchmarks-first-load.png)\n\n![a day, everybody](benchmarks-daily.png)\n\n"
    yield "## Memory of the updater\n\n"
    yield _table(
        ["tickers × ten years", "peak MB", "cgroup peak MB", "seconds", "bars"], _runs(measured["cases"]["updater"])
    )
    yield "![memory over the number of tickers](benchmarks-updater.png)\n\n"
    yield _HOW.format(
        version=settings["server_version"],
        settings=", ".join(f"`{name}={value}`" for name, value in settings.items() if name != "server_version"),
        columns=len(COLUMNS),
        batch=HISTORY_TICKERS,
        peers=", ".join(f"{name} {version}" for name, version in measured["versions"]["peers"].items()),
    )
    has_group = all(one["cgroup_peak_mb"] for one in measured["cases"]["updater"]["runs"])
    yield _AFTER.format(
        reads=READS,
        cgroup=_GROUP if has_group else "this machine permits no cgroup of 512 MiB",
        grows=measured["cases"]["updater"]["mb_per_1000_tickers"],
        **_micros_a_bar(measured["cases"]["job"]["rounds"]["first load"]),
    )
    yield "## Run it\n\n`make bench` (an hour or two), `make bench QUICK=1` (two minutes, writes only into `build/`), "
    yield "`make bench ARGS='--only daily --rounds 7'`, `make bench ARGS=--resume` after a run that was stopped.\n"
    yield "The stored market stays in `.local/bench` (3 GB) for the next run; `ARGS=--fresh` makes it anew.\n"


def _micros_a_bar(rounds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """CPU of a job's first load, microseconds a bar: the client's, and the store's with its server's."""
    return {
        "client": 1e6 * median((one["cpu"] - one["store_cpu"]) / one["rows"]["new"] for one in rounds),
        "store": 1e6 * median((one["backend_cpu"] + one["store_cpu"]) / one["rows"]["new"] for one in rounds),
    }


def _figures(figures: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    yield "## Figures\n\nThe goal is the median's, of the updater's memory the maximum's.\n\n"
    rows = []
    for name, meaning in MEANING.items():
        if name in figures:
            shown = ("max",) if name.startswith("updater") else ("median", "min", "max")
            cells_of = [number(figures[name][key]) if key in shown else "" for key in ("median", "min", "max")]
            rows.append([meaning, *cells_of, str(GOALS.get(name, "")), is_met(name, judged(name, figures[name]))])
    yield _table(["what", "median", "min", "max", "goal", ""], rows)
    yield "How many times as fast this store is (median, and from the worst round to the best). The first load beside "
    yield "psql and ADBC is of all rows, beside the others of a part. The goal of a day is at least "
    yield f"{GOALS['daily_vs_execute_values'].limit:g} times execute_values, "
    yield f"{GOALS['daily_vs_sqlalchemy'].limit:g} times SQLAlchemy:\n\n"
    rows = [
        [NAMES[name], *(_ratio(figures.get(f"{kind}{peer}")) for kind in ("vs_", "daily_vs_"))]
        for name, peer in PEERS.items()
        if f"vs_{peer}" in figures
    ]
    yield _table(["than", "first load", "a day"], rows)


def _ratio(values: Mapping[str, float] | None) -> str:
    if values is None:
        return ""
    return f"{number(values['median'])} ({number(values['min'])}–{number(values['max'])})"


def _runs(case: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            f"{one['tickers']:,}",
            number(one["peak_mb"]),
            number(one["cgroup_peak_mb"]) if one["cgroup_peak_mb"] else "",
            number(one["seconds"]),
            f"{one['rows']['new']:,}",
        ]
        for one in case["runs"]
    ]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(headings) + " |", "|---" + "|--:" * (len(headings) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n\n"
