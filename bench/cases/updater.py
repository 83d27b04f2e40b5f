"""Whole runs of the us-price updater: real client library, real checks, real load, from a generated Yahoo."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench import ROOT
from bench.cgroup import limited
from bench.child import ChildFailed, backend_cpu
from bench.race import Bench
from bench.stored import define

NAME = "bench_updater"
# The evenings after two sessions that follow each other, in one week: once a week every bar is counted.
EVENING, NEXT_EVENING = "2025-12-02T09:00+00:00", "2025-12-03T09:00+00:00"
MEMORY_MB = 512  # of a task: jobs.py
APPLICATION = "insight-invest us-price"
READY_SECONDS = 60
POLL_SECONDS = 0.05
_DONE = re.compile(r"\d+ of \d+$")


def updater(bench: Bench) -> dict[str, Any]:
    """First loads of ten years of ever more tickers, each in a cgroup of a task's size: the peak must not grow."""
    with source(bench.server.root, EVENING) as env:
        runs = [_first_load(bench, env, number) for number in bench.sizes.updater_tickers]
    bench.server.drop(NAME)
    first, last = runs[0], runs[-1]
    slope = (last["peak_mb"] - first["peak_mb"]) / (last["tickers"] - first["tickers"])
    return {"cgroup_mb": MEMORY_MB, "runs": runs, "mb_per_1000_tickers": slope * 1000}


def _first_load(bench: Bench, env: dict[str, str], number: int) -> dict[str, Any]:
    define(bench.server, NAME, number, ledger=False)
    with limited(MEMORY_MB) as group:
        bench.tell(f"updater: {number:,} tickers × ten years")
        command = group.command if group else None
        used = run_job(bench, env, EVENING, title=f"updater, {number:,} tickers", command=command)
        return {"tickers": number, **used, "cgroup_peak_mb": group.peak_mb() if group else None}


@contextmanager
def source(root: Path, now: str) -> Iterator[dict[str, str]]:
    """The generated Yahoo as of ``now`` in a process of its own; what a client's environment needs."""
    file = root / "source.env"
    file.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.source", str(file), now],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + READY_SECONDS
        while not file.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise ChildFailed("the generated source did not start")
            time.sleep(0.05)
        yield dict(line.split("=", 1) for line in file.read_text().splitlines())
    finally:
        process.terminate()
        process.wait()


def run_job(bench: Bench, env: dict[str, str], as_of: str, *, title: str, command: Any = None) -> dict[str, Any]:
    """Run the updater once; what it used, what its server process used, and what it reported.

    Raises ChildFailed where it did not end well.
    """
    root = bench.server.root
    file, said, log = root / "measured.json", root / "updater.out", root / "updater.log"
    file.unlink(missing_ok=True)
    arguments = [sys.executable, "-m", "bench.measured_job", str(file), "--job", "us-price", "--as-of", as_of, "--json"]
    with said.open("w") as out, log.open("w") as err:
        process = subprocess.Popen(
            command(arguments) if command else arguments,
            cwd=ROOT, env=_environment(bench.server.url(NAME), env), stdout=out, stderr=err,
            start_new_session=True,
        )  # fmt: skip
        try:
            served = _served(bench, process, log, title)
        finally:
            process.kill()
            process.wait()
    report = said.read_text()
    if process.returncode != 0:
        raise ChildFailed(f"the updater ended with {process.returncode}: {_last_line(log)} {report.strip()[-300:]}")
    told = json.loads(report.splitlines()[-1])
    return {**json.loads(file.read_text()), "backend_cpu": served, "rows": told["rows"], "requests": told["requests"]}


def _served(bench: Bench, process: "subprocess.Popen[bytes]", log: Path, title: str) -> float:
    """Wait for the updater; the CPU seconds of its server process, read until it ends."""
    seen: dict[int, float] = {}
    with psycopg.connect(bench.server.url(NAME), autocommit=True) as connection:
        while process.poll() is None:
            query = "select pid from pg_stat_activity where application_name = %s"
            for (pid,) in connection.execute(query, [APPLICATION]).fetchall() if not seen else ():
                seen[pid] = 0.0
            seen = {pid: max(used, backend_cpu(pid)) for pid, used in seen.items()}
            if done := _DONE.search(_last_line(log)):
                bench.tell(f"{title}: {done[0]}")
            time.sleep(POLL_SECONDS)
    return sum(seen.values())


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 1000))
        lines = file.read().decode(errors="replace").splitlines()
    return lines[-1] if lines else ""


def _environment(url: str, env: dict[str, str]) -> dict[str, str]:
    """As a task has it, without the politeness that a real source needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    chosen = {"INSIGHT_YAHOO_RATE": "1000", "INSIGHT_SAMPLE_TICKERS": "0", "INSIGHT_REQUEST_BUDGET": "20000"}
    return {**kept, **env, **chosen, "DATABASE_URL": url, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
