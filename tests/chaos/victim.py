"""The process that is killed: ``run_scheduled_job.py``, forked from one that has imported everything.

``python -m tests.chaos.victim`` reads orders from stdin, one JSON object a line, and answers each with another one:

    {"arguments": [...], "env": {...}, "log": path, "trace": path, "stops": [3, 5] or "idle"}  ->  {"pid": 4711}
    {"wait": 4711}  ->  {"stopped": true}, or {"stopped": false, "code": 0} (-9 for SIGKILL)

What is forked counts its own events: after every answer of PostgreSQL (statement, BEGIN, COMMIT, the begin and the end
of a COPY), after every 64 KiB that it sends into a COPY, before every end of a transaction, and before and after the
report. Each is a line of the trace: its number, what it is, and whether a transaction is open. At the events in
``stops`` ("idle": at each one without an open transaction) it stops itself by SIGSTOP, for whoever gave the order.
"""

import inspect
import json
import os
import runpy
import signal
import sys
import warnings
from collections.abc import Container, Generator
from typing import Any

import psycopg
import psycopg._copy
import psycopg.sql
from psycopg.pq import TransactionStatus

COPY_BYTES = 64 * 1024
# What a run imports only when it needs it: once here instead of in every fork.
_HEAVY = (
    *("pandas", "yfinance.data", "FinanceDataReader", "fredapi", "curl_cffi.requests", "structlog", "rich.traceback"),
    *(f"include.insight_invest.updaters.{name}" for name in ("us", "korea", "macro", "completeness", "comparison")),
)


class Events:
    """Counts, writes the trace, and stops the process."""

    def __init__(self, trace: int, stops: Container[int] | str) -> None:
        self._trace = trace
        self._stops = stops
        self._count = 0

    def happened(self, what: str, *, idle: bool) -> None:
        """One more event. ``idle``: no transaction is open."""
        self._count += 1
        os.write(self._trace, f"{self._count} {what} {'idle' if idle else 'open'}\n".encode())
        if (idle and self._stops == "idle") or (not isinstance(self._stops, str) and self._count in self._stops):
            os.kill(os.getpid(), signal.SIGSTOP)


def watch(events: Events) -> None:
    """Tell ``events`` of everything that psycopg sends; everything it does on a connection goes through ``wait``."""
    wait = psycopg.Connection.wait

    def watched(self: psycopg.Connection[Any], generator: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        what = _name(generator)
        if what in ("exit_gen", "commit_gen"):
            events.happened(f"before-{what}", idle=False)
        result = wait(self, generator, *args, **kwargs)
        events.happened(what, idle=self.info.transaction_status is TransactionStatus.IDLE)
        return result

    psycopg.Connection.wait = watched  # type: ignore[method-assign,assignment]
    vars(psycopg._copy)["MAX_BUFFER_SIZE"] = COPY_BYTES


def _name(generator: Generator[Any, Any, Any]) -> str:
    """What a generator of psycopg does, in a word; of a statement its first words."""
    name = getattr(generator, "__name__", type(generator).__name__).strip("_")
    query = inspect.getgeneratorlocals(generator).get("query") if name == "execute_gen" else None
    if query is None:
        return name
    text = query.as_string(None) if isinstance(query, psycopg.sql.Composable) else query
    words = (text.decode() if isinstance(text, bytes) else str(text)).split()
    return "-".join(words[:4]) or name


def _run(order: dict[str, Any]) -> None:
    """In the fork: the command line, as if it had just been started. Does not return."""
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(order["env"])
    sys.argv = ["run_scheduled_job.py", *order["arguments"]]
    events = Events(os.open(order["trace"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), order["stops"])
    watch(events)
    from include.insight_invest import console

    show = console.show_reports

    def shown(reports: Any) -> None:
        events.happened("before-report", idle=True)
        show(reports)
        events.happened("report", idle=True)

    console.show_reports = shown
    code = 1
    try:
        runpy.run_path("run_scheduled_job.py", run_name="__main__")
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 (as the interpreter does at its end)
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _fork(order: dict[str, Any]) -> int:
    with warnings.catch_warnings():
        # A library's thread, of which Python knows nothing and which holds none of its locks.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            _run(order)
        finally:
            os._exit(1)
    return pid


def _wait(pid: int) -> dict[str, Any]:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"stopped": True}
    return {"stopped": False, "code": os.waitstatus_to_exitcode(status)}


def main() -> None:
    """Answer orders until stdin ends; what still runs then is killed."""
    import importlib

    for name in ("include.insight_invest.cli", *_HEAVY):
        importlib.import_module(name)
    alive: set[int] = set()
    try:
        for line in sys.stdin:
            order = json.loads(line)
            if "wait" in order:
                answer = _wait(order["wait"])
                if not answer["stopped"]:
                    alive.discard(order["wait"])
            else:
                answer = {"pid": _fork(order)}
                alive.add(answer["pid"])
            print(json.dumps(answer), flush=True)
    finally:  # also where nobody reads the answer any more
        for pid in alive:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
