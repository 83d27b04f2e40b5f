"""What every Dag folder must satisfy, each violation as a sentence that says what to do.

The tests run this on ``dags/``, where it must find nothing, and on copies with one planted fault each, where it must
find that fault. What only reading a file shows is in ``reading.py``.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.dags.contract import CONTRACTS, Contract

SECTIONS = ("Purpose", "Schedule", "Writes", "Triage", "Backfill")
OWNER, RETRIES, SEOUL = "insight-invest", 2, "Asia/Seoul"
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC))  # with both US changes of the clock


def violations(folder: Path, contracts: Mapping[str, Contract] = CONTRACTS) -> list[str]:
    """Everything wrong with the Dags of ``folder``; empty when all is well."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(folder)
    found = [
        f"{Path(file).name} cannot be imported: {error.strip().splitlines()[-1]}"
        for file, error in bag.import_errors.items()
    ]
    if found:
        return found
    found += _of_files(folder, {dag.dag_id: Path(dag.fileloc).name for dag in bag.dags.values()}, contracts)
    for dag in bag.dags.values():
        if dag.dag_id in contracts:
            found += [f"{dag.dag_id}: {problem}" for problem in _of_dag(dag, contracts[dag.dag_id])]
    return found


def _of_files(folder: Path, defined: Mapping[str, str], contracts: Mapping[str, Contract]) -> Iterator[str]:
    known = {contract.file for contract in contracts.values()}
    for name in sorted(file.name for file in folder.glob("*.py")):
        ids = sorted(dag_id for dag_id, file in defined.items() if file == name)
        expected = sorted(dag_id for dag_id, contract in contracts.items() if contract.file == name)
        if name not in known:
            yield f"{name} is not accounted for: write its contract into tests/dags/contract.py"
        elif ids != expected:
            yield f"{name} defines {ids}, expected {expected}: mend the file, or tests/dags/contract.py"
    for name in sorted(known - {file.name for file in folder.glob("*.py")}):
        yield f"{name} is gone: restore it, or take it out of tests/dags/contract.py"


def _of_dag(dag: Any, contract: Contract) -> Iterator[str]:
    yield from _differences(_facts(dag), _wanted(dag, contract))
    for section in SECTIONS:
        if f"**{section}.**" not in (dag.doc_md or ""):
            yield f"its page lacks the section {section}: write it in the file's docstring"
    yield from _of_callbacks(dag)
    yield from _of_params(dag)
    yield from _of_templates(dag)
    yield from _of_serialisation(dag, contract)


def _of_callbacks(dag: Any) -> Iterator[str]:
    """Who hears of it: each is the project's own, and a deadline's can be imported by whoever did not read the file."""
    for task in dag.tasks:
        if not _ours(task.on_failure_callback):
            yield f"{task.task_id} fails without a word: it has no on_failure_callback of ours"
    if not _ours(dag.on_failure_callback):
        yield "a run fails without a word: the Dag has no on_failure_callback of ours"
    if not _ours(dag.on_success_callback):
        yield "nobody hears of a recovery: the Dag has no on_success_callback of ours"
    for deadline in dag.deadline or ():
        path = deadline.callback.path
        if path != "include.insight_invest.orchestration.alerts.callbacks.late":
            yield f"a deadline calls {path}: the triggerer must be able to import it"


def _ours(callbacks: Any) -> bool:
    found = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    return any(getattr(one, "__module__", "").startswith("include.insight_invest.") for one in found)


def _differences(facts: Mapping[str, object], wanted: Mapping[str, object]) -> Iterator[str]:
    for name, expected in wanted.items():
        if facts[name] != expected:
            yield f"{name} is {facts[name]!r}, the contract says {expected!r}"


def _facts(dag: Any) -> dict[str, object]:
    facts: dict[str, object] = {
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "tags": set(dag.tags),
        "owner": dag.owner,
        "timezone": str(dag.timezone.name),
        "start_date": dag.start_date.year,
        "params": set(dag.params),
        "flow": {task.task_id: set(task.downstream_task_ids) for task in dag.tasks},
        "pools": {task.task_id: task.pool for task in dag.tasks if task.pool != "default_pool"},
        "inlets": _asset_names(dag.timetable),
        "outlets": {task.task_id: asset.name for task in dag.tasks for asset in _outlets(task)},
        "deadlines": {(_reference(one), one.interval) for one in dag.deadline or ()},
        "title": bool(dag.dag_display_name) and dag.dag_display_name != dag.dag_id,
        "description": bool(dag.description),
    }
    for task in dag.tasks:
        facts[f"retries of {task.task_id}"] = task.retries
        facts[f"execution_timeout of {task.task_id}"] = task.execution_timeout
        facts[f"trigger rule of {task.task_id}"] = getattr(task.trigger_rule, "value", task.trigger_rule)
    return facts


def _wanted(dag: Any, contract: Contract) -> dict[str, object]:
    wanted: dict[str, object] = {
        "catchup": False,
        "max_active_runs": 1,
        "tags": contract.tags,
        "owner": OWNER,
        "timezone": SEOUL,
        "start_date": 1970,
        "params": contract.params,
        "flow": contract.flow,
        "pools": contract.pools,
        "inlets": contract.inlets,
        "outlets": contract.outlets,
        "deadlines": contract.deadlines,
        "title": True,
        "description": True,
    }
    for task in dag.tasks:
        wanted[f"retries of {task.task_id}"] = RETRIES
        wanted[f"execution_timeout of {task.task_id}"] = contract.time_out
        wanted[f"trigger rule of {task.task_id}"] = contract.rules.get(task.task_id, "all_success")
    return wanted


def _of_params(dag: Any) -> Iterator[str]:
    """Airflow's form refuses an empty text where a text is required, and then nobody can trigger the Dag by hand."""
    for name in dag.params:
        param = dag.params.get_param(name)
        if "type" not in param.schema and "enum" not in param.schema:
            yield f"the param {name} has no type: anything could be typed in"
        if param.value == "" or (param.value is None and "null" not in param.schema.get("type", ())):
            yield f"the param {name} cannot be left as the form shows it"
        if not param.description:
            yield f"the param {name} has no description"


def _of_templates(dag: Any) -> Iterator[str]:
    """Jinja that does not parse, and names that no task's context has."""
    from jinja2 import Environment, TemplateSyntaxError, meta

    context, environment = _context_names(), Environment(autoescape=True)
    for task in dag.tasks:
        for text in (*_texts([getattr(task, name, None) for name in task.template_fields]), *_label(task)):
            try:
                names = meta.find_undeclared_variables(environment.parse(text))
            except TemplateSyntaxError as error:
                yield f"{task.task_id} has a template that does not parse: {text!r}: {error.message}"
                continue
            for name in sorted(names - context):
                yield f"{task.task_id} has a template with {name}, which no context has: {text!r}"


def _label(task: Any) -> Iterator[str]:
    label = getattr(task, "map_index_template", None)
    if label:
        yield label
    if type(task).__name__.endswith("MappedOperator"):
        yield from () if label else ("{{ map_index_template_is_missing }}",)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple | set):
        for one in value:
            yield from _texts(one)


def _context_names() -> set[str]:
    from airflow.sdk.definitions.context import Context

    return set(Context.__annotations__)


def _of_serialisation(dag: Any, contract: Contract) -> Iterator[str]:
    """What the scheduler works with is what went through JSON."""
    from airflow.serialization.serialized_objects import DagSerialization

    try:
        text = json.dumps(DagSerialization.to_dict(dag), sort_keys=True)
        read = DagSerialization.from_dict(json.loads(text))
    except Exception as error:  # noqa: BLE001 (whatever it is, the scheduler would meet it)
        cause = error.__cause__ or error
        yield f"it cannot be serialised: {type(cause).__name__}: {cause}"
        return
    flow = {task.task_id: set(task.downstream_task_ids) for task in read.tasks}
    if flow != {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}:
        yield f"serialised and read again its flow is {flow}"
    yield from _of_instants(read, contract)


def _of_instants(read: Any, contract: Contract) -> Iterator[str]:
    fired = list(_instants(read.timetable)) if read.timetable.can_be_scheduled and contract.fires else []
    if not contract.fires:
        if read.timetable.can_be_scheduled and list(_instants(read.timetable))[:1]:
            yield "a clock starts it, the contract says that none does"
        return
    hour, days = contract.fires
    start, end = YEAR
    expected = [
        moment
        for day in range(365)
        if (moment := start + timedelta(days=day, hours=hour)).strftime("%a") in days and moment <= end
    ]
    if wrong := sorted(set(fired) ^ set(expected)):
        told = f"it fires {len(fired)} times in 2026, {len(expected)} expected"
        yield f"{told}; first different: {wrong[0]:%a %F %H:%M} UTC"


def _instants(timetable: Any) -> Iterator[datetime]:
    from airflow.timetables.base import TimeRestriction
    from pendulum import instance

    restriction = TimeRestriction(earliest=instance(YEAR[0]), latest=instance(YEAR[1]), catchup=True)
    run = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    while run is not None:
        yield run.run_after.astimezone(UTC)
        run = timetable.next_dagrun_info(last_automated_data_interval=run.data_interval, restriction=restriction)


def _outlets(task: Any) -> Any:
    return task.partial_kwargs.get("outlets", ()) if hasattr(task, "partial_kwargs") else task.outlets


def _asset_names(timetable: Any) -> set[str]:
    condition = getattr(timetable, "asset_condition", None)
    return {asset.name for asset in getattr(condition, "objects", [condition])} if condition is not None else set()


def _reference(deadline: Any) -> str:
    return type(deadline.reference).__name__
