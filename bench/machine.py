"""What the figures were taken on."""

import importlib.metadata
import os
import platform
import re
from pathlib import Path

from bench import ROOT
from include.insight_invest import __version__
from include.insight_invest.store.migrate import HEAD

_PEERS = ("pandas", "psycopg2-binary", "sqlalchemy", "adbc-driver-postgresql", "pyarrow", "dlt")
_OURS = ("psycopg", "numpy", "pandas", "yfinance")


def machine() -> dict[str, object]:
    """Processor, cores that may be used, memory, system; how busy it was before."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": _processor(),
        "cores": cores,
        "memory_gb": round(memory / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, object]:
    """This project's and the libraries' versions, the peers' as they are locked."""
    lock = (ROOT / "bench" / "peers.lock").read_text()
    peers = {name: re.search(rf"^{name}==(\S+)", lock, re.MULTILINE) for name in _PEERS}
    return {
        "insight-invest-airflow": __version__,
        "schema": HEAD,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _OURS},
        "peers": {name: found[1] for name, found in peers.items() if found},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.*)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return found[1] if found else platform.processor() or platform.machine()
