"""The Dags are what jobs.py and the contract say, and a Dag with a fault in it is found."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.insight_invest.jobs import JOBS
from tests.dags.integrity import violations
from tests.fixtures.airflow import ROOT

DAGS = ROOT / "dags"
TAIL = 'dag = updater_dag(JOBS["us-price"], doc_md=__doc__)'
REPLACED = """
import dataclasses
from datetime import timedelta
dag = updater_dag(dataclasses.replace(JOBS["us-price"], {}), doc_md=__doc__)"""

FAULTS = {
    "a syntax error": (TAIL, "dag = updater_dag(", "us_price.py cannot be imported: SyntaxError"),
    "a wrong import": (TAIL, "import nowhere\n" + TAIL, "us_price.py cannot be imported: ModuleNotFoundError"),
    "no retries": (TAIL, REPLACED.format("retries=0"), "retries of update is 0"),
    "another schedule": (TAIL, REPLACED.format("schedule='0 18 * * *'"), "schedule is '0 18 * * *'"),
    "another timezone": (TAIL, REPLACED.format("timezone='UTC'"), "timezone is 'UTC'"),
    "another time-out": (
        TAIL,
        REPLACED.format("execution_timeout=timedelta(hours=9)"),
        "execution_timeout of update is datetime.timedelta(seconds=32400)",
    ),
    "no tags": (TAIL, REPLACED.format("tags=()"), "tags is set()"),
    "another owner": (TAIL, REPLACED.format("owner='airflow'"), "owner is 'airflow'"),
    "another id": (TAIL, REPLACED.format("dag_id='us_prices'"), "us_price.py defines ['us_prices']"),
    "catching up": (TAIL, TAIL + "\ndag.catchup = True", "catchup is True"),
    "two runs at once": (TAIL, TAIL + "\ndag.max_active_runs = 2", "max_active_runs is 2"),
    "a lost param": (TAIL, TAIL + "\ndel dag.params['dry_run']", "params is"),
    "a torn flow": (
        TAIL,
        TAIL + "\ndag.get_task('update').downstream_task_ids.clear()",
        "flow is",
    ),
    "no Triage section": ("**Triage.**", "**Notes.**", "its page lacks the section Triage"),
    "a heavy import": (TAIL, "import pandas\n" + TAIL, "reading it loads pandas"),
    "a Variable at the top": (
        TAIL,
        "import airflow.sdk\n\nvalue = airflow.sdk.Variable.get('colour', default=None)\n" + TAIL,
        "us_price.py: reading it asks Airflow for colour",
    ),
    "code that belongs elsewhere": (
        TAIL,
        TAIL + "\nfor _ in range(3):\n    print(_)",
        "more than imports and one `dag",
    ),
}


def test_the_dags_are_sound() -> None:
    assert violations(DAGS) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, tmp_path: Path) -> None:
    before, after, expected = FAULTS[fault]
    folder = shutil.copytree(DAGS, tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "us_price.py"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))

    found = violations(folder)

    assert any(expected in sentence for sentence in found), found


def test_a_dag_file_nobody_accounted_for_is_found(tmp_path: Path) -> None:
    folder = shutil.copytree(DAGS, tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "extra.py").write_text((folder / "macro.py").read_text().replace('JOBS["macro"]', 'JOBS["us-price"]'))
    (folder / "us_price.py").unlink()

    found = violations(folder)

    assert any("extra.py is not accounted for" in sentence for sentence in found)
    assert any("us_price.py is gone" in sentence for sentence in found)


@pytest.mark.parametrize(
    ("job", "hour", "days"),
    [
        ("us-price", 9, {"Tue", "Wed", "Thu", "Fri", "Sat"}),
        ("kr-price", 21, {"Mon", "Tue", "Wed", "Thu", "Fri"}),
        ("macro", 23, {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri"}),
    ],
)
def test_schedules_fire_at_these_utc_instants_all_year(job: str, hour: int, days: set[str]) -> None:
    """2026: over both US changes of the clock, which Seoul does not have."""
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.trigger import CronTriggerTimetable
    from pendulum import instance

    timetable = CronTriggerTimetable(JOBS[job].schedule, timezone=JOBS[job].timezone)
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    fired = []
    last = None
    while True:
        restriction = TimeRestriction(earliest=instance(start), latest=instance(end), catchup=True)
        run = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if run is None:
            break
        last = run.data_interval
        fired.append(run.run_after.astimezone(UTC))
    expected = [
        moment
        for day in range(365)
        if (moment := start + timedelta(days=day, hours=hour)).strftime("%a") in days and moment <= end
    ]
    assert fired == expected


def test_every_param_can_be_left_as_the_form_shows_it() -> None:
    """Airflow's form refuses an empty text where a text is required, and then nobody can trigger the Dag by hand."""
    from airflow.dag_processing.dagbag import DagBag

    for dag in DagBag(DAGS).dags.values():
        for name in dag.params:
            param = dag.params.get_param(name)
            assert param.value is not None or "null" in param.schema["type"], f"{dag.dag_id}: {name} needs a value"
            assert param.value != "", f"{dag.dag_id}: {name} is an empty text"
