"""docs/benchmarks.md, as the command writes it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.bars import COLUMNS
from bench.readers import READS
from bench.report import GOALS
from bench.shown import HEADINGS, cells, number, races
from include.insight_invest.sources.yahoo import HISTORY_TICKERS

_HEAD = """# Benchmarks

Written by `make bench` on {machine}: {rounds} rounds of everything, but for the updater's memory, which is read
once for each number of tickers. `build/bench.json` has every figure of every round. Times belong to that machine:
**read the ratios**, they were taken in pairs, on the same rows, against the same server, one after the other.

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
- *Peak MB* is the whole process with its frame in memory, *server CPU* that of its backend, where it is known.
- A ratio `vs_…` is how many times as fast this store was: above 1 it was faster.

"""
_GROUP = """it ran inside a cgroup of 512 MiB, as a task does, whose own count leaves out what another
process had read of its files before"""
_MEANING = {
    "first_load_vs_copy": "first load, of psql's speed",
    "unchanged_vs_copy": "the same again: nothing to do, of psql's speed with the rows",
    "rows_touched_unchanged": "rows that this writes",
    "wal_kb_per_10k_unchanged": "WAL of that, KB for 10,000 rows",
    "daily_10k_seconds": "10,000 tickers × 1 new session, seconds",
    "lookback_50k_seconds": "10,000 tickers × 5 sessions, 4 of them stored, seconds",
    "watermark_ms": "newest session of every ticker, ms",
    "prices_ms": "a ticker's ten years of adjusted closes, ms",
    "history_ms": "the same, all prices, volume and returns, ms",
    "recent_day_ms": "a day of the whole market, of the last quarter, ms",
    "old_day_ms": "a day of the whole market, years ago, ms",
    "macro_ms": "a macro series as it was known on a day, ms",
    "job_share_first_load": "database's share of a job's CPU, first load",
    "job_share_daily": "database's share of a job's CPU, daily run",
    "updater_peak_mb": "updater's memory, largest peak, MB",
    "updater_mb_per_1000_tickers": "what 1,000 more tickers add to it, MB",
    "updater_cgroup_peak_mb": "its cgroup of 512 MiB, MB",
}
_AFTER = """## What the numbers mean

psql's binary `\\copy` is what one connection can take: it parses nothing and checks only the primary key. What
this store does beside that is to look at what is stored, so that a second run writes nothing, a correction keeps
the earlier value, and a row that is there is never overwritten by a worse source. `unchanged` is that second run.

A day of the whole market goes into neighbouring pages of the primary key, and of the second index into one page for
each eight tickers ([storage.md](storage.md) says why); after a checkpoint PostgreSQL writes each page that is touched
to the WAL as a whole, once. Everybody who adds the day pays for that, and it is most of the WAL in the table above.
So does a first load: both indexes are kept while it runs, by psql as by us.

The job's first load is mostly that COPY, and cannot be less: yfinance makes a bar in 30 µs of CPU, PostgreSQL stores
it in 5. The daily run reads seven sessions of each ticker and stores one; that is the job whose share counts.

The readers are `store.prices` and `store.read`: one connection, a warm server, {reads} reads a round (or two
seconds of them), another ticker or day each time, with the splits and dividends of ten years in `tb_action`. Prices
are computed when they are read.

The whole job is `run_scheduled_job.py --job us-price`: yfinance, checks and store, against a generated Yahoo in a
process of its own. *The database's share* is the CPU of its server process and of the store's own functions in
the updater, of both processes together. Its memory is what the kernel says of it at its end (VmHWM: everything
resident, libraries too); {cgroup}.
No bar is kept: between 300 and 3,000 tickers Python's objects grow by 0.35 kB a ticker, its name and how it ended. The
resident memory grows by {grows:.1f} kB a ticker, the allocator's share included.

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
        yield f"## {title}\n\n" + _table(["", *HEADINGS], [[name, *cells(rows, one)] for name, one in found.items()])
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
    )
    yield "## Run it\n\n`make bench` (an hour or more), `make bench QUICK=1` (two minutes, writes only into `build/`), "
    yield "`make bench ARGS='--only daily --rounds 7'`, `make bench ARGS=--resume` after a run that was stopped.\n"
    yield "The stored market stays in `.local/bench` (3 GB) for the next run; `ARGS=--fresh` makes it anew.\n"


def _figures(figures: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    yield "## Figures\n\n"
    rows = []
    for name, meaning in _MEANING.items():
        if name in figures:
            values = figures[name]
            goal = GOALS.get(name)
            rows.append([meaning, *(number(values[key]) for key in ("median", "min", "max")), str(goal or "")])
    yield _table(["what", "median", "min", "max", "goal"], rows)
    peers = [name.removeprefix("vs_") for name in figures if name.startswith("vs_")]
    rows = [
        [peer.replace("_", " "), *(_ratio(figures.get(f"{kind}{peer}")) for kind in ("vs_", "daily_vs_"))]
        for peer in peers
    ]
    yield "How many times as fast this store is (median, and from the worst round to the best):\n\n"
    yield _table(["as", "first load", "a day"], rows)


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
