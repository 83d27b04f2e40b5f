"""What reading a Dag file does beside defining its Dag: nothing that takes long, asks, writes or is deprecated.

Each file is read in a fork of one process that has what the dag processor has imported before: ``airflow.sdk``, cron.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.fixtures.airflow import ROOT

HEAVY = (
    *("pandas", "numpy", "pyarrow", "duckdb", "yfinance", "FinanceDataReader", "fredapi", "exchange_calendars"),
    *("psycopg", "alembic", "boto3", "botocore", "requests", "airflow.providers.amazon"),
)
_ALLOWED = (ast.Import, ast.ImportFrom, ast.Assign)


def readings(files: Sequence[Path]) -> dict[Path, list[str]]:
    """What reading each of ``files`` does that it must not, as sentences; and what it holds that belongs elsewhere."""
    result = subprocess.run(
        [sys.executable, "-c", _READ, *map(str, files)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    read = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("[")]
    deprecated = _deprecated(files)
    found = dict(zip(files, read, strict=True))
    for file in files:
        found[file] = [*found[file], *deprecated.get(str(file), ())]
        if any(not isinstance(node, _ALLOWED) for node in _statements(file)):
            found[file].append("it holds more than imports and one `dag = …`: move the rest to orchestration")
    return found


def _deprecated(files: Sequence[Path]) -> dict[str, list[str]]:
    """What ruff's rules for Airflow say."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "AIR", "--output-format", "json"]
    result = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    found: dict[str, list[str]] = {}
    for one in json.loads(result.stdout):
        found.setdefault(one["filename"], []).append(f"ruff {one['code']}: {one['message']}")
    return found


def _statements(file: Path) -> list[ast.stmt]:
    """The file's top-level statements, less its docstring."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return [node for node in body if not isinstance(node, ast.Expr)]


_READ = f"""
import json, os, runpy, sys, warnings
import airflow.sdk
import croniter

def read(file):
    effects, before = [], set(sys.modules)
    names = []
    airflow.sdk.Variable.get = airflow.sdk.Connection.get = lambda name, *a, **k: names.append(name)
    def watch(event, arguments):
        if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "sqlite3.connect"):
            effects.append(f"reading it does {{event}}: do that inside a task")
        elif event == "open" and isinstance(arguments[0], str):
            path = arguments[0]
            code = path.endswith((".py", ".pyc", ".so")) or "__pycache__" in path
            if not code and not path.startswith((sys.prefix, sys.base_prefix, "/proc", "/usr", "/etc")):
                effects.append(f"reading it opens {{os.path.basename(path)}}: do that inside a task")
    sys.addaudithook(watch)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        runpy.run_path(file)
    effects += [f"reading it asks Airflow for {{name}}: ask inside the task" for name in names]
    effects += [f"reading it loads {{name}}: import it inside the task" for name in {HEAVY!r}
                if name in sys.modules and name not in before]
    effects += [f"reading it warns: {{one.category.__name__}}: {{str(one.message).splitlines()[0]}}" for one in warned
                if issubclass(one.category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning))]
    return effects

for file in sys.argv[1:]:
    sys.stdout.flush()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        continue
    try:
        effects = read(file)
    except BaseException as error:
        effects = [f"reading it fails: {{type(error).__name__}}: {{error}}"]
    print(chr(10) + json.dumps(effects), flush=True)
    os._exit(0)
"""
