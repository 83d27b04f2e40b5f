"""Every Dag file imports, whatever the environment lacks: `astro dev parse` and `astro deploy` run this in the image.

It gives Dag files what Astro's own default test gives them, in words of our own: where a variable of the environment, a
Variable or a Connection is missing, one that is made up. So a file that reads one of them while it is parsed is no
error here; that ours do not is for tests/dags to prove.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

HOME = Path(os.environ.get("AIRFLOW_HOME", "/usr/local/airflow"))
DAGS = Path(os.environ.get("AIRFLOW__CORE__DAGS_FOLDER", HOME / "dags"))
EXCEPTIONS = Path(__file__).with_name("dag_integrity_exceptions.txt")
MADE_UP = "NON_DEFAULT_MOCKED_VARIABLE_VALUE"


class MadeUp(dict[str, str]):
    """What a Variable of JSON is made up of: every key has a value."""

    def __missing__(self, key: str) -> str:
        return "MOCKED_KEY_VALUE"


def environment(name: str, default: Any = None) -> Any:
    """``os.getenv``, never empty; but for JENKINS_HOME, which some library takes for a folder."""
    made_up = None if name == "JENKINS_HOME" else f"MOCKED_{name.upper()}_VALUE"
    return os.environ.get(name) or default or made_up


def variable(key: str, *default: Any, deserialize_json: bool = False, **named: Any) -> Any:  # noqa: ARG001 (its name)
    """``Variable.get``, with the default under either of the names that Airflow has for it."""
    given = [*default, *(named[name] for name in ("default", "default_var") if name in named)]
    if given:
        return given[0]
    return MadeUp() if deserialize_json else MADE_UP


def connection(conn_id: str, *_: Any, **__: Any) -> Any:
    """``Connection.get``: one with a name and nothing else."""
    from airflow.sdk import Connection

    return Connection(conn_id=conn_id, conn_type="generic")


def replace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the made-up ones in their places."""
    from airflow.models import variable as stored
    from airflow.sdk import BaseHook, Connection, Variable

    monkeypatch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")  # as an argument only Airflow 3.2 takes it
    monkeypatch.setattr(os, "getenv", environment)
    for kind in (Variable, stored.Variable):
        monkeypatch.setattr(kind, "get", staticmethod(variable))
    monkeypatch.setattr(Connection, "get", staticmethod(connection))
    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(connection))


def files() -> list[str]:
    """The Dag files to test, as paths below the Dags folder's parent."""
    exempt = set(EXCEPTIONS.read_text().split()) if EXCEPTIONS.exists() else set()
    return sorted({str(path.relative_to(DAGS.parent)) for path in DAGS.rglob("*.py")} - exempt)


@pytest.mark.parametrize("file", files())
def test_file_imports(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Dag file with an error fails with Airflow's own traceback."""
    replace(monkeypatch)
    errors = DagBag(DAGS.parent / file).import_errors
    if errors:
        pytest.fail("\n".join(errors.values()), pytrace=False)
