"""The updater as it is run, with its clocks read: ``python -m bench.measured_job FILE ARGUMENT...``.

Runs run_scheduled_job.py with the arguments, and writes to FILE (JSON) what it used: its CPU time, the part of it that
was spent in the store's functions, and the peak of its memory.
"""

import importlib
import inspect
import json
import pkgutil
import runpy
import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from bench import ROOT
from bench.child import peak_mb


class Stopwatch:
    """CPU seconds of threads within the functions that it watches, each counted once however they call each other."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._inside = threading.local()
        self._lock = threading.Lock()

    def watch(self, module: ModuleType) -> None:
        """Watch the public functions that ``module`` defines; call before others import them by name."""
        for name, function in inspect.getmembers(module, inspect.isfunction):
            is_plain = not hasattr(function, "__wrapped__") and not inspect.isgeneratorfunction(function)
            if function.__module__ == module.__name__ and not name.startswith("_") and is_plain:
                setattr(module, name, self._watched(function))

    def _watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._inside, "yes", False):
                return function(*args, **kwargs)
            self._inside.yes = True
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self._inside.yes = False
                with self._lock:
                    self.seconds += time.thread_time() - began

        return watched


def main() -> None:
    """Watch the store, run the job, and write what it used however it ends."""
    from include.insight_invest import store

    stopwatch = Stopwatch()
    for found in pkgutil.iter_modules(store.__path__):
        if found.name not in ("database", "migrate", "statements") and not found.ispkg:
            stopwatch.watch(importlib.import_module(f"{store.__name__}.{found.name}"))
    file, sys.argv = Path(sys.argv[1]), [str(ROOT / "run_scheduled_job.py"), *sys.argv[2:]]
    began = time.perf_counter()
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        used = {"seconds": time.perf_counter() - began, "cpu": time.process_time(), "store_cpu": stopwatch.seconds}
        file.write_text(json.dumps({**used, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
